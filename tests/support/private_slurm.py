"""A Slurm of four nodes on this host, in a folder of its own: munged, slurmctld and slurmd are children of the test and end
with it.

Needs root, and the Debian packages slurm-wlm and munge. Nothing outside the folder is read or written.
"""
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile

import processes

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
NODES = ("n1", "n2", "n3", "n4")

# cred_expire: a requeued job starts again only after it. KillWait: from TERM to KILL at the time limit.
CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldPort={ports[0]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
MpiDefault=none
JobRequeue=1
KillWait=10
SlurmdTimeout=10
SlurmctldDebug=info
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def missing():
    """Why this host cannot have one; empty when it can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]
    if absent:
        return f"{', '.join(absent)} not found: install the Debian packages slurm-wlm and munge"
    return "" if os.geteuid() == 0 else "several slurmd on one host need root"


def search_path():
    return f"{os.environ['PATH']}:/usr/sbin"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class PrivateSlurm:
    """Started by start(), ended by stop() whatever has happened in between."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="moesweep-slurm-"))
        self.folder.chmod(0o755)
        self.conf = self.folder / "slurm.conf"
        self.daemons = {}

    def start(self):
        for name in ("state", "log", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        ports = free_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 State=UNKNOWN"
                          for node, port in zip(NODES, ports[1:]))
        self.conf.write_text(CONF.format(folder=self.folder, host=host, ports=ports, nodes=nodes))
        self.start_munged()
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        processes.wait_until(lambda: self.node_states() == {node: "idle" for node in NODES}, "four idle nodes", 60, 0.2)

    def stop(self):
        try:
            if "slurmctld" in self.daemons:
                self.run("scancel", "--user=root", "--full", "--signal=KILL", check=False)
                self.run("scancel", "--user=root", check=False)
        finally:
            for name in sorted(self.daemons, key=lambda name: (name == "munged", name == "slurmctld")):
                self.end(name)
            for pid in self.processes():
                processes.signal_if_alive(pid, 9)
            if "MOESWEEP_KEEP" not in os.environ:
                shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        """For its commands: ours, without what an outer batch system has left, and with its slurm.conf."""
        variables = {name: value for name, value in os.environ.items()
                     if not name.startswith(("SLURM_", "SBATCH_", "OMPI_COMM_", "PMIX_", "PMI_"))}
        variables.update(SLURM_CONF=str(self.conf), PATH=search_path())
        return variables

    def daemon(self, name, *command):
        with open(self.folder / "log" / name, "ab") as log:
            self.daemons[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                  env=self.environment(), cwd=self.folder)

    def start_munged(self):
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        self.daemon("munged", "munged", "--foreground", "--force", "--num-threads=4", f"--key-file={key}",
                    f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                    f"--log-file={self.folder}/log/munged.log", f"--seed-file={self.folder}/munged.seed")
        processes.wait_until((self.folder / "munge.socket").exists, "munged", 30)

    def start_controller(self):
        self.daemon("slurmctld", "slurmctld", "-D", "-f", str(self.conf))
        processes.wait_until(lambda: self.run("scontrol", "ping", check=False).returncode == 0, "slurmctld", 60, 0.2)

    def start_node(self, node):
        self.daemon(node, "slurmd", "-D", "-f", str(self.conf), "-N", node)

    def end(self, name):
        """Ends a daemon the way an administrator would."""
        process = self.daemons.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def lose_node(self, node):
        """Ends a node at once: its slurmd, and every process of its jobs."""
        daemon = self.daemons.pop(node)
        victims = [pid for pid in self.processes(f"SLURMD_NODENAME={node}") if pid != daemon.pid]
        daemon.kill()
        for pid in victims:
            processes.signal_if_alive(pid, 9)
        daemon.wait()

    def processes(self, *variables):
        """What was started with our slurm.conf and these variables in its environment, and the step daemons above it."""
        wanted = {f"SLURM_CONF={self.conf}".encode(), *(variable.encode() for variable in variables)}
        found = set()
        for entry in os.listdir("/proc"):
            try:
                environment = pathlib.Path(f"/proc/{int(entry)}/environ").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if wanted <= set(environment):
                parent = processes.parent_of(entry)
                found |= {int(entry)} | ({parent} if parent and self.is_step_daemon(parent) else set())
        return sorted(found)

    @staticmethod
    def is_step_daemon(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("slurmstepd")
        except OSError:
            return False

    def run(self, *command, check=True):
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment(), timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def node_states(self):
        lines = self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%N %t", check=False).stdout.split("\n")
        return dict(line.split() for line in lines if line)

    def job_state(self, job_id):
        """"RUNNING None" and the like; empty once Slurm has forgotten the job."""
        done = self.run("squeue", "-h", "-t", "all", "-j", job_id, "-o", "%T %r", check=False)
        return done.stdout.strip()

    def job_field(self, job_id, name):
        """A field of `scontrol show job`, such as Restarts."""
        for word in self.run("scontrol", "-o", "show", "job", job_id).stdout.split():
            field, _, value = word.partition("=")
            if field == name:
                return value
        raise AssertionError(f"job {job_id} has no field {name}")
