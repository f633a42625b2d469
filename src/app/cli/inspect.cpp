// `moesweep inspect CHECKPOINT`: what is in a checkpoint, from its headers.

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/nearest_pattern.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/model/source/model.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

struct InspectOptions {
  std::string path;
  bool tensors = false;
  std::vector<std::string> expert_patterns;  ///< empty: not given
};

std::string shape_or_scalar(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "scalar" : shape_text(shape);
}

/// Integers that are codes have the role of the weights that they stand for.
std::string role_text(const source::Model& model, std::size_t index,
                      const InspectOptions& options) {
  const auto& tensor = model.checkpoint.tensors[index];
  const auto& patterns = options.expert_patterns;
  const auto role = model.storage.plain[index]
                        ? names::role_of(tensor.name, tensor.shape, tensor.dtype, patterns)
                        : names::role_of(tensor.name, tensor.shape, patterns);
  return std::string(names::role_name(role));
}

/// Weights that tensors stand for; nothing when it is not known of one of them.
using Weights = std::optional<std::int64_t>;

std::string weights_text(const Weights& weights) {
  return weights && *weights > 0 ? format_count(*weights) : "-";
}

Json to_json(const Weights& weights) {
  return weights ? Json(*weights) : Json();
}

/// Tensors alike but for their indices.
struct Group {
  std::string pattern, shape, dtype, role;
  std::int64_t count = 0, bytes = 0;
  Weights params = 0;
};

std::vector<Group> group(const source::Model& model, const InspectOptions& options) {
  const auto weights = source::logical_weights(model.checkpoint, model.storage);
  std::map<std::vector<std::string>, Group> groups;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& tensor = model.checkpoint.tensors[i];
    Group made{names::pattern_of(tensor.name), shape_or_scalar(tensor.shape),
               std::string(dtype_name(tensor.dtype)), role_text(model, i, options)};
    auto& found =
        groups.try_emplace({made.pattern, made.shape, made.dtype, made.role}, made).first->second;
    ++found.count;
    found.params = found.params && weights[i] ? Weights(*found.params + *weights[i]) : std::nullopt;
    found.bytes += tensor.bytes();
  }
  std::vector<Group> out;
  for (auto& [key, made] : groups) out.push_back(std::move(made));
  return out;
}

Json to_json(const source::Model& model, const InspectOptions& options) {
  const auto& checkpoint = model.checkpoint;
  const auto size = source::stored_size(checkpoint, model.storage);
  Json document = {{"path", checkpoint.directory.string()},
                   {"shards", checkpoint.shards.size()},
                   {"tensors", checkpoint.tensors.size()},
                   {"params", to_json(size.uncounted == 0 ? Weights(size.weights) : std::nullopt)},
                   {"bytes", checkpoint.bytes()},
                   {"bits_per_weight", size.uncounted == 0 ? Json(size.bits_per_weight()) : Json()},
                   {"quantized", model.storage.has_codes()},
                   {"missing", model.missing},
                   {"notes", model.notes},
                   {"groups", Json::array()},
                   {"list", Json::array()}};
  for (const auto& made : group(model, options)) {
    document["groups"].push_back({{"pattern", made.pattern},
                                  {"count", made.count},
                                  {"shape", made.shape},
                                  {"dtype", made.dtype},
                                  {"role", made.role},
                                  {"params", to_json(made.params)},
                                  {"bytes", made.bytes}});
  }
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const auto& tensor = checkpoint.tensors[i];
    document["list"].push_back({{"name", tensor.name},
                                {"dtype", dtype_name(tensor.dtype)},
                                {"shape", tensor.shape},
                                {"bytes", tensor.bytes()},
                                {"role", role_text(model, i, options)},
                                {"shard", checkpoint.shards[tensor.shard].name}});
  }
  return document;
}

void print_groups(const source::Model& model, const InspectOptions& options) {
  TextTable table({"count", "role", "dtype", "shape", "params", "bytes", "pattern"});
  for (const auto& made : group(model, options)) {
    table.add({format_count(made.count), made.role, made.dtype, made.shape,
               weights_text(made.params), format_size(made.bytes), made.pattern});
  }
  table.print();
}

void print_tensors(const source::Model& model, const InspectOptions& options) {
  const auto& checkpoint = model.checkpoint;
  TextTable table({"role", "dtype", "shape", "bytes", "shard", "name"});
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const auto& tensor = checkpoint.tensors[i];
    table.add({role_text(model, i, options), std::string(dtype_name(tensor.dtype)),
               shape_or_scalar(tensor.shape), format_size(tensor.bytes()),
               checkpoint.shards[tensor.shard].name, tensor.name});
  }
  table.print();
}

void print_totals(const source::Model& model) {
  const auto& checkpoint = model.checkpoint;
  const auto size = source::stored_size(checkpoint, model.storage);
  auto params = fmt::format("{} parameters", format_count(size.weights));
  if (size.uncounted > 0) {
    params += fmt::format(" and {} quantized matrices of unknown size", size.uncounted);
  }
  const auto bits = model.storage.has_codes() && size.uncounted == 0
                        ? fmt::format(", {:.4f} bits per weight", size.bits_per_weight())
                        : std::string();
  fmt::print("{} tensors, {}, {} in {} shards{}\n", format_count(std::ssize(checkpoint.tensors)),
             params, format_size(checkpoint.bytes()), checkpoint.shards.size(), bits);
  for (const auto& note : model.notes) fmt::print("{}\n", printable(note));
}

void require_expert_patterns(const checkpoint::Checkpoint& checkpoint,
                             const InspectOptions& options) {
  std::vector<std::string> tensor_names;
  for (const auto& tensor : checkpoint.tensors) tensor_names.push_back(tensor.name);
  for (const auto& pattern : options.expert_patterns) {
    if (is_component_of(pattern, tensor_names)) continue;
    throw Error(ExitCode::bad_usage, "--expert-pattern " + pattern,
                "is not a component of any tensor's name",
                remedy_for_pattern(pattern, tensor_names));
  }
}

void inspect(InspectOptions& options, const Context& context) {
  const bool names_experts = !options.expert_patterns.empty();
  if (!names_experts) options.expert_patterns = {"experts"};  // in a dense model it matches nothing
  const auto model = source::open_model(
      options.path, {.allow_incomplete = true, .expert_patterns = options.expert_patterns});
  if (names_experts) require_expert_patterns(model.checkpoint, options);
  if (context.json) print_json(to_json(model, options));
  if (context.json || context.quiet) return source::require_whole(model);
  if (options.tensors)
    print_tensors(model, options);
  else
    print_groups(model, options);
  print_totals(model);
  source::require_whole(model);
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "inspect", "Tensors, dtypes, shapes and roles of a checkpoint");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("CHECKPOINT", options->path, "Safetensors folder or file")->required();
  command->add_flag("--tensors", options->tensors,
                    "List every tensor instead of one line per name pattern");
  command->add_option("--expert-pattern", options->expert_patterns,
                      "Name component that marks routed experts, instead of experts");
  command->callback([options, &context] { inspect(*options, context); });
}

}  // namespace moesweep::cli
