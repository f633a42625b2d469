#include "quality_options_from.hpp"

#include <cmath>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::jobs {
namespace {

constexpr double largest_count = 9007199254740992.0;  // 2^53: whole numbers are exact up to here

std::map<std::string, double> numbers_by_name(const config::Settings& settings, const char* key,
                                              const char* example) {
  std::map<std::string, double> numbers;
  for (const auto& text : settings.texts(key)) {
    const auto equals = text.rfind('=');
    const auto number =
        equals == std::string::npos ? std::nullopt : csv_number(text.substr(equals + 1));
    if (!number || !(*number > 0.0) || std::isinf(*number) || equals == 0) {
      throw Error(ExitCode::bad_job, settings.place_of(key),
                  fmt::format("{} has \"{}\"", key, printable(text)),
                  fmt::format("write a name and a number above 0: \"{}\"", example));
    }
    if (!numbers.emplace(text.substr(0, equals), *number).second) {
      throw Error(ExitCode::bad_job, settings.place_of(key),
                  fmt::format("{} tells {} twice", key, printable(text.substr(0, equals))));
    }
  }
  return numbers;
}

void read_inputs(const config::Settings& settings, quality::Options& options) {
  if (settings.has("quality.baseline")) options.baseline = settings.text("quality.baseline");
  for (const auto& [metric, n] :
       numbers_by_name(settings, "quality.sample_sizes", "refusal_rate=220")) {
    if (n != std::floor(n) || n > largest_count) {
      throw Error(ExitCode::bad_job, settings.place_of("quality.sample_sizes"),
                  fmt::format("{} samples of {} are no whole number", n, printable(metric)));
    }
    options.samples.emplace(metric, static_cast<std::int64_t>(n));
  }
  options.bits_per_weight = numbers_by_name(settings, "quality.bits_per_weight", "Q4_K_M=4.85");
}

}  // namespace

quality::Options quality_options_from(const config::Settings& settings) {
  quality::Options options;
  options.quality = settings.texts("quality.metrics.quality");
  options.safety = settings.texts("quality.metrics.safety");
  options.capability = settings.texts("quality.metrics.capability");
  options.lower_is_better = settings.texts("quality.metrics.lower_is_better");
  options.percent = settings.texts("quality.metrics.percent");
  options.yes_no = settings.texts("quality.metrics.yes_no");
  options.refusal = settings.texts("quality.metrics.refusal");
  options.floor = settings.texts("quality.metrics.floor");
  options.alpha = settings.number("quality.alpha");
  options.power = settings.number("quality.power");
  options.margin_pp = settings.number("quality.margin_pp");
  options.shift_pp = settings.number("quality.shift_pp");
  options.coherence_gate = settings.number("quality.coherence_gate");
  options.replicates = settings.integer("quality.bootstrap.replicates");
  options.seed = checked_cast<std::uint64_t>(settings.integer("quality.bootstrap.seed"));
  if (settings.text("kind") == "quality_safety") read_inputs(settings, options);
  return options;
}

}  // namespace moesweep::jobs
