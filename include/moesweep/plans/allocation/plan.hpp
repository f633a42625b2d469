#pragma once
// From the tensors of a checkpoint and what a sweep measured of them to modules with choices, and
// from one choice a module to the rows of a plan. Formulas: docs/allocation.md.

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/allocation/allocation.hpp>

namespace moesweep::allocation {

using formats::Encoding;

/// What SWAN's rule says about a tensor.
struct SwanScore {
  std::int32_t bits = 16;
  double composite = std::numeric_limits<double>::quiet_NaN();
  /// The composite decided, not a pattern or the size: moved thresholds decide anew.
  bool by_composite = false;
  std::string reason{};
};

/// How much the error of a tensor counts (alpha), and why; no reason: nothing is known of it.
struct ErrorFactor {
  double value = 1.0;
  std::string reason{};
};

/// A tensor of the checkpoint, what a runtime makes of it, and what was measured.
struct Tensor {
  std::string name{};
  std::vector<std::int64_t> shape{};
  Dtype dtype = Dtype::bf16;
  std::string role{};
  std::string decision{};  ///< names::tied_module
  names::Fate fate = names::Fate::mapped;
  bool quantizable = false;
  std::string reason{};     ///< why it is dropped, unmapped or not quantizable
  std::string nonfinite{};  ///< where the sweep met a NaN or infinity: no runtime can quantize it
  std::int64_t kept_element_bytes = 0;  ///< where the runtime widens what it keeps; 0: as it is
  std::map<Encoding, double> sse{};
  double sum_squares = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not measured
  std::optional<SwanScore> swan{};
  ErrorFactor prior{};  ///< prior_of()

  std::int64_t params() const;
  std::int64_t bytes() const;       ///< as it is
  std::int64_t kept_bytes() const;  ///< where the runtime keeps it
};

/// With a finite error.
bool is_measured(const Tensor& tensor, const Encoding& format);

/// How much an error counts: the first pattern that matches, else the role's factor, else the
/// prior, or 1 without it.
struct AlphaPattern {
  std::string glob;  ///< on tensor names, terms (objective_term) or decisions
  double factor = 1.0;
  std::int64_t line = 0;  ///< of the file
  std::string file{};
  /// `term` is the tensor's.
  bool matches(const Tensor& tensor, const std::string& term) const;
};
struct Alpha {
  std::vector<AlphaPattern> patterns;
  std::map<std::string, double> by_role;
  bool has_prior = true;
  ErrorFactor of(const Tensor& tensor) const;
};
/// Lines "pattern,factor" of a CSV file; a header line that names the columns `pattern` and `alpha`
/// may be first, and others beside them are then passed over. Error(bad_input) with the line for
/// anything else; factors are finite and >= 0.
std::vector<AlphaPattern> parse_alpha(std::string_view text, const std::string& file);

struct Constraints {
  std::vector<Encoding> formats{};  ///< allowed beside keeping
  bool may_keep = true;             ///< false: only modules without another choice are kept
  /// Kept: substrings of tensor names, case-insensitive, or globs where they hold * or ?.
  std::vector<std::string> protected_patterns{};
  std::map<std::string, std::int32_t> min_bits{};  ///< by role
  /// By role, whatever is allowed otherwise. A tensor whose shape does not allow it gets the
  /// nearest of `runtime_formats` (of `formats` when there are none) that does.
  std::map<std::string, Encoding> fixed{};
  std::vector<Encoding> runtime_formats{};
};

/// Bytes of a tensor in a format that quantizes, without file headers; -1 when it cannot be stored
/// so.
using StoredBytes = std::function<std::int64_t(const Tensor&, const Encoding&)>;

/// Who decided that a tensor is kept.
enum class Keeper : std::uint8_t {
  none,           ///< a module decides, or the tensor is dropped
  runtime,        ///< it has no place for the tensor quantized
  pattern,        ///< of Constraints::protected_patterns
  pattern_alike,  ///< stored like one that a pattern protects
  nonfinite,      ///< a NaN or infinity, or stored like one that has it
};

/// The decisions to make.
struct Problem {
  std::vector<Tensor> tensors;  ///< by name
  Constraints constraints;
  StoredBytes stored_bytes;
  /// Measured choices only, and keeping; a fixed role has one. By name.
  std::vector<Module> modules;
  std::vector<std::vector<std::size_t>> members;  ///< tensors of each module
  std::vector<ErrorFactor> alphas;                ///< of each tensor
  /// alpha / sum of squares of the tensor's term; the objective is the sum of SSE x weight.
  std::vector<double> weights;
  std::vector<std::string> kept_because;  ///< of each tensor; empty when a module decides
  std::vector<Keeper> keepers;            ///< of each tensor
  /// Modules whose fixed format was not measured. In `modules` they are kept, so that errors are
  /// finite: no method that minimizes them may be used while there are any.
  std::vector<std::size_t> fixed_unmeasured;
};
Problem make_problem(std::vector<Tensor> tensors, Constraints constraints, const Alpha& alpha,
                     StoredBytes stored_bytes);

/// A pattern of Constraints::protected_patterns and a tensor's name.
bool is_protected_by(const std::string& name, const std::string& pattern);

/// What the objective counts once: layer and projection. Experts are pooled, gate and up are one
/// projection, whether the checkpoint has them fused or not; any other tensor is a term by itself.
std::string objective_term(const Tensor& tensor);

/// One choice a module.
struct Decision {
  Choice choice;
  std::string reason;
};
using Decisions = std::vector<Decision>;

/// The modules' own choices.
Decisions decisions_of(const Problem& problem, const Allocation& allocation,
                       const std::string& reason);

/// Every module in this format, or in the nearest that its shapes, role and minimum bits allow,
/// measured or not (the error is then NaN). `measured_only`: the nearest that was measured, for
/// comparisons.
Decisions uniform(const Problem& problem, const Encoding& format, bool measured_only = false);

/// SWAN's bits, `offset` added to the composites; the most of a module's tensors, in the nearest
/// format at hand.
struct SwanThresholds {
  double bits2 = 0.10, bits8 = 0.65, bits16 = 0.90;
};
Decisions swan(const Problem& problem, std::int32_t group_size, const SwanThresholds& thresholds,
               double offset = 0.0);

/// SWAN with the largest offset that takes at most `bytes` (of the modules); nothing when none
/// does.
std::optional<std::pair<Decisions, double>> swan_within(const Problem& problem,
                                                        std::int32_t group_size,
                                                        const SwanThresholds& thresholds,
                                                        std::int64_t bytes);

std::int64_t bytes_of(const Decisions& decisions);
/// The objective; NaN when something chosen was not measured.
double error_of(const Decisions& decisions);

/// Of the tensors that decisions quantize: those whose error was measured in the chosen format.
struct Coverage {
  std::int64_t tensors = 0, tensors_measured = 0;
  std::int64_t params = 0, params_measured = 0;
  std::set<Encoding> missing;  ///< formats that some tensor was not measured in
};
Coverage coverage_of(const Problem& problem, const Decisions& decisions);

/// A row a tensor, by name.
std::vector<records::PlanRow> plan_rows(const Problem& problem, const Decisions& decisions);

}  // namespace moesweep::allocation
