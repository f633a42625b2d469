// `moesweep inspect CHECKPOINT`: what is in a checkpoint, from its headers.

#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <moesweep/base/nearest_pattern.hpp>
#include <moesweep/base/shape.hpp>
#include <moesweep/base/text.hpp>
#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/names/role.hpp>

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

std::string role_text(const checkpoint::Tensor& tensor, const InspectOptions& options) {
  return std::string(
      names::role_name(names::role_of(tensor.name, tensor.shape, options.expert_patterns)));
}

/// Tensors alike but for their indices.
struct Group {
  std::string pattern, shape, dtype, role;
  std::int64_t count = 0, params = 0, bytes = 0;
};

std::vector<Group> group(const checkpoint::Checkpoint& checkpoint, const InspectOptions& options) {
  std::map<std::vector<std::string>, Group> groups;
  for (const auto& tensor : checkpoint.tensors) {
    Group made{names::pattern_of(tensor.name), shape_or_scalar(tensor.shape),
               std::string(dtype_name(tensor.dtype)), role_text(tensor, options)};
    auto& found =
        groups.try_emplace({made.pattern, made.shape, made.dtype, made.role}, made).first->second;
    ++found.count;
    found.params += tensor.params();
    found.bytes += tensor.bytes();
  }
  std::vector<Group> out;
  for (auto& [key, made] : groups) out.push_back(std::move(made));
  return out;
}

Json to_json(const checkpoint::Checkpoint& checkpoint, const InspectOptions& options) {
  Json document = {{"path", checkpoint.directory.string()},
                   {"shards", checkpoint.shards.size()},
                   {"tensors", checkpoint.tensors.size()},
                   {"params", checkpoint.params()},
                   {"bytes", checkpoint.bytes()},
                   {"groups", Json::array()},
                   {"list", Json::array()}};
  for (const auto& made : group(checkpoint, options)) {
    document["groups"].push_back({{"pattern", made.pattern},
                                  {"count", made.count},
                                  {"shape", made.shape},
                                  {"dtype", made.dtype},
                                  {"role", made.role},
                                  {"params", made.params},
                                  {"bytes", made.bytes}});
  }
  for (const auto& tensor : checkpoint.tensors) {
    document["list"].push_back({{"name", tensor.name},
                                {"dtype", dtype_name(tensor.dtype)},
                                {"shape", tensor.shape},
                                {"bytes", tensor.bytes()},
                                {"role", role_text(tensor, options)},
                                {"shard", checkpoint.shards[tensor.shard].name}});
  }
  return document;
}

void print_groups(const checkpoint::Checkpoint& checkpoint, const InspectOptions& options) {
  TextTable table({"count", "role", "dtype", "shape", "params", "bytes", "pattern"});
  for (const auto& made : group(checkpoint, options)) {
    table.add({format_count(made.count), made.role, made.dtype, made.shape,
               format_count(made.params), format_size(made.bytes), made.pattern});
  }
  table.print();
}

void print_tensors(const checkpoint::Checkpoint& checkpoint, const InspectOptions& options) {
  TextTable table({"role", "dtype", "shape", "bytes", "shard", "name"});
  for (const auto& tensor : checkpoint.tensors) {
    table.add({role_text(tensor, options), std::string(dtype_name(tensor.dtype)),
               shape_or_scalar(tensor.shape), format_size(tensor.bytes()),
               checkpoint.shards[tensor.shard].name, tensor.name});
  }
  table.print();
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
  const auto checkpoint = checkpoint::open_checkpoint(options.path);
  require_expert_patterns(checkpoint, options);
  // May match nothing: dense models have no experts.
  if (options.expert_patterns.empty()) options.expert_patterns = {"experts"};
  if (context.json) return print_json(to_json(checkpoint, options));
  if (context.quiet) return;
  if (options.tensors)
    print_tensors(checkpoint, options);
  else
    print_groups(checkpoint, options);
  fmt::print("{} tensors, {} parameters, {} in {} shards\n",
             format_count(static_cast<std::int64_t>(checkpoint.tensors.size())),
             format_count(checkpoint.params()), format_size(checkpoint.bytes()),
             checkpoint.shards.size());
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "inspect", "Tensors, dtypes, shapes and roles of a checkpoint");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("CHECKPOINT", options->path, "Safetensors folder or file")->required();
  command->add_flag("--tensors", options->tensors, "A line a tensor instead of a line a pattern");
  command->add_option("--expert-pattern", options->expert_patterns,
                      "Name component that marks routed experts, instead of experts");
  command->callback([options, &context] { inspect(*options, context); });
}

}  // namespace moesweep::cli
