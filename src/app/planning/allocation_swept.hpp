#pragma once
// Which formats a sweep measured, and what becomes of options that ask for others.

#include <map>
#include <set>
#include <span>
#include <string>

#include <moesweep/app/planning/allocate.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {

/// In which at least one tensor was measured. Empty for an inventory and for a sweep without the
/// metric "error": plans are then of sizes alone.
std::set<formats::Encoding> swept_formats(std::span<const allocation::Tensor> tensors);

/// What has to be done so that `missing` are measured beside `swept`: "sweep with sensitivity.bits
/// = [2, 3, 4]". Formats that were swept, but not of every tensor, need the sweep to be completed.
std::string how_to_measure(const std::set<formats::Encoding>& missing,
                           const std::set<formats::Encoding>& swept);

/// Error(bad_usage) for --bits and --group-size that only formats have which were not swept.
void require_swept(const AllocateOptions& options, std::span<const formats::Encoding> formats,
                   const std::set<formats::Encoding>& swept);

/// The formats that --role asks for, each one of `formats`; where several have these bits, one that
/// was swept before others, then the group nearest to `group_size`. Error(bad_usage) for a format
/// that there is not, or that was not swept.
std::map<std::string, formats::Encoding> role_formats(const AllocateOptions& options,
                                                      std::span<const formats::Encoding> formats,
                                                      const std::set<formats::Encoding>& swept,
                                                      std::int32_t group_size);

/// What no option names is taken from what was swept: the group with these bits (0: any) nearest to
/// `group_size`; `group_size` itself where no format of the runtime with these bits was swept.
std::int32_t swept_group(std::span<const formats::Encoding> formats,
                         const std::set<formats::Encoding>& swept, std::int32_t bits,
                         std::int32_t group_size);

/// "affine 4 bits in groups of 64", "kept".
std::string how_text(const formats::Encoding& format);

}  // namespace moesweep::planning
