#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include "include_rules.hpp"

namespace moesweep::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

IncludeRules project_rules() {
  std::ifstream in(MOESWEEP_INCLUDE_RULES);
  if (!in) throw std::runtime_error("cannot open " MOESWEEP_INCLUDE_RULES);
  return read_rules(in);
}

TEST(Layering, ModulesIncludeOnlyWhatTheTableAllows) {
  const auto report = check_includes(MOESWEEP_SOURCE_TREE, project_rules());
  std::string list;
  for (const auto& offence : report.offences) list += offence + '\n';
  EXPECT_THAT(report.offences, IsEmpty()) << list;
  // A check that looked at the wrong folder would pass as well.
  EXPECT_GT(report.files, 40U);
  EXPECT_GT(report.includes, report.files);
}

/// A source tree that obeys the project's rules until a test adds an offence.
class Fixture : public testing::Test {
 protected:
  Fixture() {
    write("include/moesweep/records/table.hpp", "#include <vector>\n");
    write("src/store/handle.hpp", "#include <hdf5.h>\n");
    write("src/store/store.cpp",
          "#include \"handle.hpp\"\n#include <moesweep/store/results.hpp>\n"
          "#include <moesweep/records/table.hpp>\n#include <moesweep/base/error.hpp>\n");
    write("src/comm/mpi.cpp", "#include <mpi.h>\n");
  }
  void write(const std::string& path, const std::string& text) {
    const auto file = tree_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::vector<std::string> offences() {
    return check_includes(tree_.path(), project_rules()).offences;
  }

  TemporaryDirectory tree_;
};

TEST_F(Fixture, WithoutAnOffencePasses) {
  EXPECT_THAT(offences(), IsEmpty());
}

TEST_F(Fixture, ForbiddenModuleIsFoundWithFileAndLine) {
  write("src/sweep/plan.cpp", "// why\n\n  #  include <moesweep/store/results.hpp>  // x\n");
  EXPECT_THAT(offences(), ElementsAre(AllOf(StartsWith("src/sweep/plan.cpp:3: "),
                                            HasSubstr("module store is not among base, comm"))));
}

TEST_F(Fixture, ForbiddenModuleIsFoundInPublicHeadersAndSubfolders) {
  write("include/moesweep/names/role.hpp", "#include <moesweep/records/table.hpp>\n");
  write("src/names/deep/er.cpp", "#include <moesweep/config/option.hpp>\n");
  EXPECT_THAT(offences(), ElementsAre(StartsWith("include/moesweep/names/role.hpp:1: "),
                                      StartsWith("src/names/deep/er.cpp:1: ")));
}

TEST_F(Fixture, DomainModulesNeverIncludeOneAnother) {
  write("src/heads/seed.cpp", "#include <moesweep/suppression/mode.hpp>\n");
  EXPECT_THAT(offences(), ElementsAre(HasSubstr("module suppression")));
}

TEST_F(Fixture, PipelineIncludesTheModulesAboveItAndNotTheCommandLine) {
  write("src/pipeline/good.cpp",
        "#include <moesweep/sweep/plan.hpp>\n#include <moesweep/report/html.hpp>\n");
  write("src/pipeline/job.cpp", "#include <moesweep/cli/run.hpp>\n");
  EXPECT_THAT(offences(), ElementsAre(StartsWith("src/pipeline/job.cpp:1: ")));
}

TEST_F(Fixture, LibrariesStayInTheirModule) {
  write("src/cli/a.cpp",
        "#include <mpi.h>\n#include <hdf5.h>\n#include <H5Cpp.h>\n#include <tbb/parallel_for.h>\n"
        "#include <oneapi/tbb/info.h>\n#include <oneapi/tbb.h>\n#include <hwy/highway.h>\n"
        "#include <cblas.h>\n#include <openblas/lapacke.h>\n#include <immintrin.h>\n"
        "#include \"mpi.h\"\n");
  const auto found = offences();
  ASSERT_EQ(found.size(), 11U);
  EXPECT_THAT(found, testing::Each(HasSubstr(": only ")));
}

TEST_F(Fixture, QuotedIncludesMeanPrivateHeadersOfTheSameModule) {
  write("src/comm/a.cpp", "#include \"handle.hpp\"\n");
  write("src/comm/b.cpp", "#include \"../store/handle.hpp\"\n");
  write("src/comm/c.cpp", "#include \"moesweep/comm/comm.hpp\"\n");
  write("include/moesweep/store/results.hpp", "#include \"handle.hpp\"\n");
  EXPECT_THAT(offences(), ElementsAre(HasSubstr("results.hpp:1: "), HasSubstr("a.cpp:1: "),
                                      AllOf(HasSubstr("b.cpp:1: "), HasSubstr("leads upwards")),
                                      HasSubstr("c.cpp:1: ")));
}

TEST_F(Fixture, ConfiguredHeadersArePrivateToo) {
  write("src/comm/version.hpp.in", "");
  write("src/comm/a.cpp", "#include \"version.hpp\"\n");
  EXPECT_THAT(offences(), IsEmpty());
}

TEST_F(Fixture, AnIncludeThatCannotBeReadIsAnOffence) {
  write("src/comm/a.cpp", "#include HEADER\n#include \\\n");
  EXPECT_THAT(offences(), ElementsAre(HasSubstr("a.cpp:1: "), HasSubstr("a.cpp:2: ")));
}

TEST_F(Fixture, FoldersOutsideTheTableAreAnOffence) {
  write("src/utils/a.cpp", "");
  write("src/stray.cpp", "");
  EXPECT_THAT(offences(),
              ElementsAre(StartsWith("src/stray.cpp:1: "), StartsWith("src/utils/a.cpp:1: ")));
}

TEST(IncludeRules, RefusesModulesThatAreNotListed) {
  std::istringstream unknown("base:\nsweep: com\n");
  EXPECT_THROW(read_rules(unknown), std::runtime_error);
  std::istringstream upwards("base:\ncomm: sweep\nsweep:\n");
  EXPECT_THROW(read_rules(upwards), std::runtime_error);
  std::istringstream twice("base:\nbase:\n");
  EXPECT_THROW(read_rules(twice), std::runtime_error);
  std::istringstream no_colon("base\n");
  EXPECT_THROW(read_rules(no_colon), std::runtime_error);
}

}  // namespace
}  // namespace moesweep::test
