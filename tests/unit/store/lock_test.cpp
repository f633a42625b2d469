#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/engine/store/lock.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

EpochStart start_of(const Owner& owner) {
  EpochStart start;
  start.owner = owner;
  start.fingerprint = "0123";
  start.inputs = {"model-00001.safetensors 4567"};
  start.isa = "AVX2";
  start.blas = "OpenBLAS";
  start.build = "1";
  start.ranks = 3;
  start.unix_time = 1.75e9;
  return start;
}

Owner on_another_machine() {
  auto owner = this_process();
  owner.host = "node9";
  owner.boot_id = "another";
  return owner;
}

AcquireOptions impatient() {
  return {false, 0.05, 0.05};
}

std::string refusal(const fs::path& lock, const EpochStart& start, const AcquireOptions& options) {
  try {
    acquire(lock, start, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::run_directory);
    return error.what();
  }
  return "";
}

// A process that does `work` and then waits until it is killed.
class Child {
 public:
  template <typename Work>
  explicit Child(Work work) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const char done = work();
      if (::write(ready[1], &done, 1) == 1) {
        while (true) ::pause();
      }
      ::_exit(1);
    }
    ::close(ready[1]);
    ready_ = ready[0];
  }
  ~Child() {
    kill_and_reap();
    ::close(ready_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// What `work` returned.
  char answer() {
    char byte = '?';
    EXPECT_EQ(::read(ready_, &byte, 1), 1);
    return byte;
  }
  void kill_but_leave_a_zombie() {
    ::kill(pid_, SIGKILL);
    siginfo_t ended;
    ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT);
  }
  void kill_and_reap() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int ready_ = -1;
};

auto holder_of(const fs::path& lock) {
  return [lock] {
    try {
      acquire(lock, start_of(this_process()), {false, 0.0, 0.0});
      return 'W';
    } catch (const Error&) {
      return 'L';
    }
  };
}

TEST(Lock, SpaceForTheEndIsTakenAtTheStart) {
  const test::TemporaryDirectory lock;
  const auto reserved = [&] {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(lock.path())) {
      if (entry.path().extension() == ".reserved") paths.push_back(entry.path());
    }
    return paths;
  };
  acquire(lock.path(), start_of(this_process()), {});
  ASSERT_EQ(reserved().size(), 1U);
  const auto bytes = fs::file_size(reserved().front());
  const auto inode = [](const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_ino;
  };
  const auto taken = inode(reserved().front());
  record_end(lock.path(), Epoch{1}, {ExitCode::io_error, 1'000'000'000'000, 1.76e9});
  EXPECT_TRUE(reserved().empty());
  EXPECT_EQ(inode(lock.path() / "e0001.end.json"), taken);
  EXPECT_EQ(fs::file_size(lock.path() / "e0001.end.json"), bytes);
  EXPECT_EQ(read_epochs(lock.path()).at(0).end->exit_code, ExitCode::io_error);
}

TEST(Lock, EpochsAreNumberedFromOneAndRemembered) {
  const test::TemporaryDirectory lock;
  EXPECT_TRUE(read_epochs(lock.path()).empty());
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {}), Epoch{1});
  record_end(lock.path(), Epoch{1}, {ExitCode::stopped_early, 42, 1.76e9});
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {}), Epoch{2});
  const auto epochs = read_epochs(lock.path());
  ASSERT_EQ(epochs.size(), 2U);
  const auto& first = epochs[0];
  EXPECT_EQ(first.start.owner.pid, ::getpid());
  EXPECT_EQ(first.start.fingerprint, "0123");
  EXPECT_EQ(first.start.inputs, std::vector<std::string>{"model-00001.safetensors 4567"});
  EXPECT_EQ(first.start.isa, "AVX2");
  EXPECT_EQ(first.start.ranks, 3);
  ASSERT_TRUE(first.end);
  EXPECT_EQ(first.end->exit_code, ExitCode::stopped_early);
  EXPECT_EQ(first.end->units_published, 42);
  EXPECT_EQ(epochs[1].epoch, Epoch{2});
  EXPECT_FALSE(epochs[1].end);
}

TEST(Lock, ThereIsNoEpochBehindTheLastNumberThatNamesHaveRoomFor) {
  const test::TemporaryDirectory lock;
  publish_file(start_file(lock.path(), last_epoch), encode_start(start_of(this_process())));
  record_end(lock.path(), last_epoch, {ExitCode::stopped_early, 1, 1.76e9});
  EXPECT_THAT(refusal(lock.path(), start_of(this_process()), {}),
              AllOf(HasSubstr("has epoch 999999999, the last that there is"),
                    HasSubstr("a new --run-dir")));
  EXPECT_FALSE(fs::exists(lock.path() / "e1000000000.json"));
  EXPECT_EQ(read_epochs(lock.path()).back().epoch, last_epoch);
}

TEST(Lock, ALivingOwnerIsNamedInTheRefusal) {
  const test::TemporaryDirectory lock;
  Child owner(holder_of(lock.path()));
  ASSERT_EQ(owner.answer(), 'W');
  const auto text = refusal(lock.path(), start_of(this_process()), impatient());
  EXPECT_THAT(text,
              HasSubstr("process " + std::to_string(owner.pid()) + " on " + this_process().host));
  EXPECT_EQ(read_epochs(lock.path()).size(), 1U);
}

TEST(Lock, TakeOverDoesNotPushAsideAProcessThatIsSeenAlive) {
  const test::TemporaryDirectory lock;
  Child owner(holder_of(lock.path()));
  ASSERT_EQ(owner.answer(), 'W');
  auto options = impatient();
  options.take_over = true;
  EXPECT_NE(refusal(lock.path(), start_of(this_process()), options), "");
}

TEST(Lock, ADeadOwnerIsSucceeded) {
  const test::TemporaryDirectory lock;
  Child owner(holder_of(lock.path()));
  ASSERT_EQ(owner.answer(), 'W');
  owner.kill_and_reap();
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), impatient()), Epoch{2});
}

TEST(Lock, AZombieOwnerIsSucceeded) {
  const test::TemporaryDirectory lock;
  Child owner(holder_of(lock.path()));
  ASSERT_EQ(owner.answer(), 'W');
  owner.kill_but_leave_a_zombie();
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), impatient()), Epoch{2});
}

TEST(Lock, WaitsForADyingOwner) {
  const test::TemporaryDirectory lock;
  Child owner(holder_of(lock.path()));
  ASSERT_EQ(owner.answer(), 'W');
  std::thread executioner([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    owner.kill_but_leave_a_zombie();
  });
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {false, 120.0, 0.0}), Epoch{2});
  executioner.join();
}

TEST(Lock, OfManyThatStartTogetherExactlyOneWins) {
  for (int round = 0; round < 5; ++round) {
    const test::TemporaryDirectory lock;
    std::vector<std::unique_ptr<Child>> starters;
    for (int i = 0; i < 6; ++i) starters.push_back(std::make_unique<Child>(holder_of(lock.path())));
    std::string answers;
    for (auto& starter : starters) answers += starter->answer();
    EXPECT_EQ(std::count(answers.begin(), answers.end(), 'W'), 1) << answers;
    EXPECT_EQ(read_epochs(lock.path()).size(), 1U);
  }
}

TEST(LockElsewhere, AStandingBeatMeansAbandoned) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(on_another_machine()), {});
  beat(lock.path(), Epoch{1}, 7);
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), impatient()), Epoch{2});
}

TEST(LockElsewhere, AMovingBeatMeansAlive) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(on_another_machine()), {});
  beat(lock.path(), Epoch{1}, 0);
  std::atomic<bool> stop = false;
  std::thread heart([&] {
    for (std::int64_t count = 1; !stop; ++count) beat(lock.path(), Epoch{1}, count);
  });
  const auto text = refusal(lock.path(), start_of(this_process()), {false, 0.0, 60.0});
  stop = true;
  heart.join();
  EXPECT_THAT(text, HasSubstr("node9"));
}

TEST(LockElsewhere, TheFirstBeatCountsToo) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(on_another_machine()), {});
  std::thread heart([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    beat(lock.path(), Epoch{1}, 1);
  });
  EXPECT_NE(refusal(lock.path(), start_of(this_process()), {false, 0.0, 60.0}), "");
  heart.join();
}

TEST(LockElsewhere, TakeOverDoesNotWaitForTheBeat) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(on_another_machine()), {});
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {true, 0.0, 1e6}), Epoch{2});
}

TEST(LockElsewhere, ARestartOfTheSameSlurmJobTakesOverAtOnce) {
  const test::TemporaryDirectory lock;
  auto before = on_another_machine();
  before.slurm_job = "77";
  acquire(lock.path(), start_of(before), {});
  auto now = this_process();
  now.slurm_job = "77";
  now.slurm_restarts = 1;
  EXPECT_EQ(acquire(lock.path(), start_of(now), {false, 0.0, 1e6}), Epoch{2});
}

TEST(LockElsewhere, AnotherSlurmJobDoesNot) {
  const test::TemporaryDirectory lock;
  auto before = on_another_machine();
  before.slurm_job = "77";
  acquire(lock.path(), start_of(before), {});
  std::atomic<bool> stop = false;
  std::thread heart([&] {
    for (std::int64_t count = 1; !stop; ++count) beat(lock.path(), Epoch{1}, count);
  });
  auto now = this_process();
  now.slurm_job = "78";
  now.slurm_restarts = 1;
  const auto text = refusal(lock.path(), start_of(now), {false, 0.0, 60.0});
  stop = true;
  heart.join();
  EXPECT_THAT(text, HasSubstr("Slurm job 77"));
}

TEST(Lock, AnEpochThatEndedNeedsNoProofOfDeath) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(on_another_machine()), {});
  record_end(lock.path(), Epoch{1}, {});
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {false, 0.0, 1e6}), Epoch{2});
}

TEST(Lock, ADamagedRecordIsNamed) {
  const test::TemporaryDirectory lock;
  for (const char* content : {"", "{", "[]", R"({"host": 3})"}) {
    std::ofstream(lock.path() / "e0001.json") << content;
    try {
      read_epochs(lock.path());
      ADD_FAILURE() << content;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("e0001.json"));
    }
  }
}

std::string mending_of(const fs::path& lock) {
  try {
    read_epochs(lock);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::run_directory);
    return error.what();
  }
  return "";
}

void add_epoch(const fs::path& lock, Epoch epoch) {
  EXPECT_EQ(acquire(lock, start_of(this_process()), {}), epoch);
  record_end(lock, epoch, {ExitCode::stopped_early, epoch.value, 1.76e9});
}

TEST(EpochChain, AGapInTheMiddleMakesItNoShorter) {
  const test::TemporaryDirectory lock;
  for (int i = 1; i <= 4; ++i) add_epoch(lock.path(), Epoch{i});
  fs::remove(start_file(lock.path(), Epoch{1}));
  fs::remove(start_file(lock.path(), Epoch{3}));
  fs::remove(end_file(lock.path(), Epoch{3}));
  std::ofstream(end_file(lock.path(), Epoch{2})) << "{";
  const auto epochs = read_epochs(lock.path());
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_EQ(epochs[0].epoch, Epoch{2});
  EXPECT_FALSE(epochs[0].end) << "a damaged end counts as none";
  EXPECT_EQ(epochs[1].end->units_published, 4);
  EXPECT_EQ(acquire(lock.path(), start_of(this_process()), {}), Epoch{5});
}

TEST(EpochChain, TheLastRecordIsNamedWithTheCommandThatMendsIt) {
  const test::TemporaryDirectory run;
  const auto lock = run.path() / "lock";
  fs::create_directory(lock);
  add_epoch(lock, Epoch{1});
  add_epoch(lock, Epoch{2});
  const auto remedy = "`moesweep unlock " + run.path().string() + "` mends it";
  std::ofstream(end_file(lock, Epoch{2})) << "{";
  EXPECT_THAT(mending_of(lock), AllOf(HasSubstr("e0002.end.json: is damaged"), HasSubstr(remedy)));
  fs::remove(start_file(lock, Epoch{2}));
  EXPECT_THAT(mending_of(lock), AllOf(HasSubstr("e0002.json: is missing"), HasSubstr(remedy)));
  EXPECT_THROW(acquire(lock, start_of(this_process()), {true, 0.0, 0.0}), Error);
  mend_start(lock, Epoch{2}, start_of(this_process()));
  mend_end(lock, Epoch{2}, {ExitCode::stopped_early, 7, 1.0, true});
  const auto epochs = read_epochs(lock);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_TRUE(epochs[1].end->by_unlock);
  EXPECT_EQ(read_text_file(lock / "e0002.end.json.damaged"), "{");
}

TEST(EpochChain, NotesOfUnitsInFlightTellOfAStartThatIsGone) {
  const test::TemporaryDirectory lock;
  acquire(lock.path(), start_of(this_process()), {});
  const InFlightNotes notes(lock.path(), Epoch{1}, Rank{0}, 1);
  fs::remove(start_file(lock.path(), Epoch{1}));
  EXPECT_THAT(mending_of(lock.path()), HasSubstr("e0001.json: is missing"));
}

TEST(EpochChain, ReservedSpaceAndOtherFilesAreNoStarts) {
  const test::TemporaryDirectory lock;
  for (const char* name : {"e0001-node7-12.reserved", "beat", "e1.json", "e0000.json",
                           "e99999999999.json", "results-000003.made", "e0001.txt", ".tmp.0"}) {
    std::ofstream(lock.path() / name) << "x";
  }
  EXPECT_TRUE(look_at_epochs(lock.path()).empty());
  EXPECT_TRUE(read_epochs(lock.path() / "none").empty());
}

TEST(EpochChain, AStartIsReadBackAsItWas) {
  auto start = start_of(on_another_machine());
  start.owner.slurm_job = "77";
  const auto read = decode_start(encode_start(start));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_start(*read), encode_start(start));
  EXPECT_FALSE(decode_start("[]"));
}

TEST(EpochChain, AStartWithAnyCharacterChangedIsDamagedOrTheSame) {
  auto start = start_of(on_another_machine());
  start.fingerprint = "0123456789abcdef0123456789abcdef";
  start.inputs = {"model.safetensors fedcba9876543210fedcba9876543210"};
  const auto sound = encode_start(start);
  std::size_t damaged = 0;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    for (const int mask : {1, 2, 16}) {
      auto text = sound;
      text[i] = static_cast<char>(text[i] ^ mask);
      const auto read = decode_start(text);
      damaged += read ? 0 : 1;
      EXPECT_EQ(encode_start(read.value_or(start)), sound) << text;
    }
  }
  EXPECT_GT(damaged, 2 * sound.size());
}

TEST(EpochChain, AStartOfVersion2WithoutAHashIsRead) {
  auto text = encode_start(start_of(on_another_machine()));
  const auto hash = text.find("\"hash\"");
  ASSERT_NE(hash, std::string::npos);
  text.erase(hash, text.find('\n', hash) - hash);
  EXPECT_TRUE(decode_start(text)) << text;
}

TEST(Lock, BeatsThatCannotBeWrittenHarmNobody) {
  EXPECT_NO_THROW(beat("no/such/lock", Epoch{1}, 1));
}

TEST(Beat, ThatIsNoFileIsNoneAndAStartSetsItAside) {
  const test::TemporaryDirectory lock;
  const auto path = lock.path() / "beat";
  const auto aside = lock.path() / "beat.damaged";
  EXPECT_EQ(beat_problem(lock.path()), "");
  const std::vector<std::function<void()>> others = {
      [&] { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
      [&] { fs::create_symlink("/none/of/that", path); },
      [&] { publish_file(path, std::string(5000, '1')); }};
  for (const auto& make : others) {
    make();
    EXPECT_NE(beat_problem(lock.path()), "");
    EXPECT_FALSE(last_outlook(lock.path(), Epoch{1}));
    const auto epoch = acquire(lock.path(), start_of(this_process()), {});
    EXPECT_TRUE(fs::exists(fs::symlink_status(aside)));
    EXPECT_EQ(beat_problem(lock.path()), "");
    beat(lock.path(), epoch, 1, {1.8e9, 3, -1.0, -1.0, -1.0});
    EXPECT_TRUE(last_outlook(lock.path(), epoch));
    record_end(lock.path(), epoch, {ExitCode::stopped_early, 1, 1.76e9});
    fs::remove(path);
    fs::remove(aside);
  }
}

TEST(Outlook, IsReadBackByWhoKnowsTheEpoch) {
  const test::TemporaryDirectory lock;
  EXPECT_FALSE(last_outlook(lock.path(), Epoch{1}).has_value());
  beat(lock.path(), Epoch{1}, 1, {1.7e9, 123456, 98765.5, 1.0, 1e9});
  beat(lock.path(), Epoch{2}, 2, {1.8e9, 3, -1.0, -1.0, -1.0});
  EXPECT_FALSE(last_outlook(lock.path(), Epoch{1}).has_value());
  const auto outlook = last_outlook(lock.path(), Epoch{2});
  ASSERT_TRUE(outlook.has_value());
  EXPECT_EQ(outlook->unix_time, 1.8e9);
  EXPECT_EQ(outlook->computed, 3);
  EXPECT_EQ(outlook->eta_seconds, -1.0);
}

TEST(Outlook, ABeatOfAnOlderVersionIsNone) {
  const test::TemporaryDirectory lock;
  publish_file(lock.path() / "beat", "00000001 0000000000000007\n");
  EXPECT_FALSE(last_outlook(lock.path(), Epoch{1}).has_value());
}

}  // namespace
}  // namespace moesweep::store
