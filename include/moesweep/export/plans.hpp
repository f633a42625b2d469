#pragma once
// Quantization plans: our own file, and what each runtime's quantizer reads.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/names/runtime.hpp>
#include <moesweep/records/plan.hpp>

namespace moesweep::exports {

/// JSON, `schema` 1. Error(bad_input) naming file and place for anything that is no such plan.
records::Plan parse_plan(std::string_view text, const std::string& file);
records::Plan read_plan(const std::filesystem::path& file);
std::string plan_json(const records::Plan& plan);

/// A file of an export.
struct PlanFile {
  std::string name;  ///< below the folder of the export
  std::string text;
};

struct PlanExport {
  std::vector<PlanFile> files;
  std::vector<std::string> unmapped;  ///< tensors that the runtime's names say nothing about
  std::string how_to_use;             ///< the command line, or where the file belongs
};

/// mlx-lm llama.cpp compressed-tensors gptqmodel modelopt json csv
std::span<const std::string_view> plan_formats();

/// Error(bad_usage) for an unknown format, and for a plan whose quantizer the format cannot say;
/// Error(bad_input), naming the tensors, when any is unmapped unless `allow_unmapped`.
PlanExport export_plan(const records::Plan& plan, const names::Architecture& architecture,
                       std::string_view format, bool allow_unmapped);

}  // namespace moesweep::exports
