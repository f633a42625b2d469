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

constexpr auto small_rules = R"([core]
base:
records: base
[engine]
comm:
store: base records
sweep: comm
[model]
names:
<mpi*.h>: comm
<hdf5*.h>: store
<H5*>: store
<*intrin.h>: names
)";

/// A source tree that obeys these rules, edge by edge, until a test adds an offence.
class Fixture : public testing::Test {
 protected:
  Fixture() {
    write("include/moesweep/core/base/error.hpp", "#include <string>\n");
    write("include/moesweep/core/records/table.hpp",
          "#include <vector>\n#include <moesweep/core/base/error.hpp>\n");
    write("src/engine/store/handle.hpp", "#include <hdf5.h>\n");
    write("src/engine/store/store.cpp",
          "#include \"handle.hpp\"\n#include <moesweep/engine/store/results.hpp>\n"
          "#include <moesweep/core/records/table.hpp>\n#include <moesweep/core/base/error.hpp>\n");
    write("src/engine/comm/mpi.cpp", "#include <mpi.h>\n");
    write("src/engine/sweep/drive.cpp", "#include <moesweep/engine/comm/comm.hpp>\n");
    write("src/model/names/role.cpp", "");
  }
  void write(const std::string& path, const std::string& text) {
    const auto file = tree_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::vector<std::string> offences() {
    std::istringstream rules(small_rules);
    return check_includes(tree_.path(), read_rules(rules)).offences;
  }

  TemporaryDirectory tree_;
};

TEST_F(Fixture, WithoutAnOffencePasses) {
  EXPECT_THAT(offences(), IsEmpty());
}

TEST_F(Fixture, ForbiddenModuleIsFoundWithFileAndLine) {
  write("src/engine/sweep/plan.cpp",
        "// why\n\n  #  include <moesweep/engine/store/results.hpp>  // x\n");
  EXPECT_THAT(offences(), ElementsAre(AllOf(StartsWith("src/engine/sweep/plan.cpp:3: "),
                                            HasSubstr("module store is not among comm"))));
}

TEST_F(Fixture, ForbiddenModuleIsFoundInPublicHeadersAndSubfolders) {
  write("include/moesweep/model/names/role.hpp", "#include <moesweep/core/records/table.hpp>\n");
  write("src/model/names/deep/er.cpp", "#include <moesweep/core/base/error.hpp>\n");
  EXPECT_THAT(offences(), ElementsAre(StartsWith("include/moesweep/model/names/role.hpp:1: "),
                                      StartsWith("src/model/names/deep/er.cpp:1: ")));
}

TEST_F(Fixture, AnEdgeThatNothingUsesIsAnOffence) {
  write("src/engine/sweep/drive.cpp", "");
  EXPECT_THAT(offences(), ElementsAre("sweep: comm is never included"));
}

TEST_F(Fixture, AModuleThatIsNotThereIsAnOffence) {
  std::filesystem::remove_all(tree_.path() / "src/model/names");
  EXPECT_THAT(offences(), ElementsAre("names: there is no such module"));
}

TEST_F(Fixture, AModuleOfAnotherLayerIsAnOffence) {
  write("src/core/names/role.cpp", "");
  write("src/model/names/a.cpp", "#include <moesweep/model/base/error.hpp>\n");
  EXPECT_THAT(offences(), ElementsAre(StartsWith("src/core/names/role.cpp:1: \"core/names\""),
                                      HasSubstr("model/base is not in the table")));
}

TEST_F(Fixture, LibrariesStayInTheirModule) {
  write("src/engine/sweep/a.cpp",
        "#include <mpi.h>\n#include <hdf5.h>\n#include <H5Cpp.h>\n#include <immintrin.h>\n"
        "#include \"mpi.h\"\n");
  const auto found = offences();
  ASSERT_EQ(found.size(), 5U);
  EXPECT_THAT(found, testing::Each(HasSubstr(": only ")));
}

TEST_F(Fixture, QuotedIncludesMeanPrivateHeadersOfTheSameModule) {
  write("src/engine/comm/a.cpp", "#include \"handle.hpp\"\n");
  write("src/engine/comm/b.cpp", "#include \"../store/handle.hpp\"\n");
  write("src/engine/comm/c.cpp", "#include \"moesweep/engine/comm/comm.hpp\"\n");
  write("include/moesweep/engine/store/results.hpp", "#include \"handle.hpp\"\n");
  EXPECT_THAT(offences(), ElementsAre(HasSubstr("results.hpp:1: "), HasSubstr("a.cpp:1: "),
                                      AllOf(HasSubstr("b.cpp:1: "), HasSubstr("leads upwards")),
                                      HasSubstr("c.cpp:1: ")));
}

TEST_F(Fixture, ConfiguredHeadersArePrivateToo) {
  write("src/engine/comm/version.hpp.in", "");
  write("src/engine/comm/a.cpp", "#include \"version.hpp\"\n");
  EXPECT_THAT(offences(), IsEmpty());
}

TEST_F(Fixture, AnIncludeThatCannotBeReadIsAnOffence) {
  write("src/engine/comm/a.cpp", "#include HEADER\n#include \\\n");
  EXPECT_THAT(offences(), ElementsAre(HasSubstr("a.cpp:1: "), HasSubstr("a.cpp:2: ")));
}

TEST_F(Fixture, FoldersOutsideTheTableAreAnOffence) {
  write("src/core/utils/a.cpp", "");
  write("src/utils/a.cpp", "");
  write("src/stray.cpp", "");
  EXPECT_THAT(offences(),
              ElementsAre(StartsWith("src/core/utils/a.cpp:1: "), StartsWith("src/stray.cpp:1: "),
                          StartsWith("src/utils/a.cpp:1: ")));
}

TEST(IncludeRules, RefusesModulesThatAreNotListed) {
  const auto refused = [](const char* text) {
    std::istringstream in(text);
    EXPECT_THROW(read_rules(in), std::runtime_error) << text;
  };
  refused("[core]\nbase:\nsweep: com\n");
  refused("[core]\nbase:\ncomm: sweep\nsweep:\n");
  refused("[core]\nbase:\nbase:\n");
  refused("[core]\nbase\n");
  refused("base:\n");
  refused("[core]\nbase:\n[app]\njobs: base\n[core]\nhelpers: jobs\n");
}

}  // namespace
}  // namespace moesweep::test
