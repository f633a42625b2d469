#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/isa.hpp>

namespace moesweep::kernels {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

TEST(Isa, EveryAvailableTargetCanBePinnedAndIsThenActive) {
  const auto isas = available_isas();
  ASSERT_FALSE(isas.empty());
  for (const auto& isa : isas) {
    pin_isa(isa);
    EXPECT_EQ(active_isa(), isa);
    EXPECT_EQ(available_isas(), isas) << "a pin must not hide the other targets";
  }
  pin_isa("native");
}

TEST(Isa, NativeIsTheBestTarget) {
  pin_isa(available_isas().back());
  pin_isa("native");
  EXPECT_EQ(active_isa(), available_isas().front());
}

TEST(Isa, UnknownNameIsRefusedNamingWhatExists) {
  try {
    pin_isa("AVX9");
    FAIL() << "AVX9 was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_job);
    EXPECT_THAT(error.what(), HasSubstr("AVX9"));
    EXPECT_THAT(error.what(), HasSubstr("native"));
    for (const auto& isa : available_isas()) EXPECT_THAT(error.what(), HasSubstr(isa));
  }
}

TEST(Isa, BlasSaysWhichOneItIs) {
  EXPECT_THAT(blas_description(), AnyOf(HasSubstr("OpenBLAS"), "BLAS (library unknown)"));
}

TEST(Isa, OpenBlasKernelMatchesThePinnedInstructionSet) {
  EXPECT_EQ(blas_coretype_for("AVX2"), "Haswell");
  EXPECT_EQ(blas_coretype_for("AVX3"), "SkylakeX");
  EXPECT_EQ(blas_coretype_for("AVX3_DL"), "SkylakeX");
  EXPECT_EQ(blas_coretype_for("AVX3_ZEN4"), "SkylakeX");
  EXPECT_EQ(blas_coretype_for("SSE4"), "Nehalem");
  EXPECT_EQ(blas_coretype_for("SSSE3"), "Core2");
  EXPECT_EQ(blas_coretype_for("native"), "");
  EXPECT_EQ(blas_coretype_for("NEON"), "");
}

}  // namespace
}  // namespace moesweep::kernels
