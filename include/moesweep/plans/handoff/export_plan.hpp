#pragma once
// Quantization plans as each runtime's quantizer reads them.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::handoff {

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

/// In the order of help: "mlx-lm".
std::span<const std::string_view> plan_formats();

/// Error(bad_usage) for an unknown format, and for a plan whose quantizer the format cannot say,
/// naming the row. Error(bad_input), naming the tensors, when any is unmapped unless
/// `allow_unmapped`, when the plan quantizes what the runtime drops or keeps, and when it stores
/// differently what the runtime stores as one. json and csv are written as they are.
PlanExport export_plan(const records::Plan& plan, const names::Architecture& architecture,
                       std::string_view format, bool allow_unmapped);

/// The files, and how_to_use as HOW-TO-USE.txt, in `folder`, which is created when missing. None is
/// visible before all are written. Error(bad_usage) when a file exists and may not be replaced.
std::vector<std::filesystem::path> write_plan_export(const PlanExport& made,
                                                     const std::filesystem::path& folder,
                                                     bool overwrite);

}  // namespace moesweep::handoff
