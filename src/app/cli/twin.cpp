// `moesweep twin INVENTORY OUT`: a synthetic checkpoint with the structure and statistics of one
// that is not at hand.

#include <memory>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/twin/twin.hpp>

#include "command.hpp"
#include "shard_size.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

struct TwinCommand {
  std::string inventory;
  std::string out;
  std::int64_t scale = 1;
  std::int64_t seed = 0;
  std::string shard_size = "4GiB";
};

Json to_json(const twin::Target& target) {
  return {
      {"name", target.name},
      {"excess_kurtosis",
       {{"published", target.wanted.excess_kurtosis}, {"twin", target.reached.excess_kurtosis}}},
      {"spectral_concentration",
       {{"published", target.wanted.spectral_concentration},
        {"twin", target.reached.spectral_concentration}}},
      {"reason", target.reason}};
}

void print_missed(const std::vector<twin::Target>& targets) {
  TextTable table({"kurtosis", "twin's", "concentration", "twin's", "tensor", "reason"});
  for (const auto& target : targets) {
    if (target.reason.empty()) continue;
    table.add({fmt::format("{:.4g}", target.wanted.excess_kurtosis),
               fmt::format("{:.4g}", target.reached.excess_kurtosis),
               fmt::format("{:.4f}", target.wanted.spectral_concentration),
               fmt::format("{:.4f}", target.reached.spectral_concentration), target.name,
               target.reason});
  }
  table.print();
}

void make_twin(const TwinCommand& command, const Context& context) {
  const auto shard_bytes = shard_bytes_of(command.shard_size);
  const auto inventory = twin::read_inventory(command.inventory);
  const twin::TwinOptions options{.scale = command.scale,
                                  .seed = checked_cast<std::uint64_t>(command.seed)};
  const auto made = twin::open_twin(inventory, options);
  const auto targets = twin::write_twin(inventory, options, command.out, shard_bytes);
  std::int64_t missed = 0;
  for (const auto& target : targets) missed += target.reason.empty() ? 0 : 1;
  const auto analysed = checked_cast<std::int64_t>(targets.size());
  if (context.json) {
    Json document = {{"path", command.out},         {"scale", command.scale},
                     {"seed", command.seed},        {"tensors", made.tensors.size()},
                     {"params", made.params()},     {"bytes", made.bytes()},
                     {"with_statistics", analysed}, {"matched", analysed - missed},
                     {"missed", Json::array()}};
    for (const auto& target : targets) {
      if (!target.reason.empty()) document["missed"].push_back(to_json(target));
    }
    return print_json(document);
  }
  if (context.quiet) return;
  if (missed > 0) print_missed(targets);
  fmt::print("{}: {} tensors, {} parameters, {}\n", command.out,
             format_count(checked_cast<std::int64_t>(made.tensors.size())),
             format_count(made.params()), format_size(made.bytes()));
  fmt::print(
      "{} of {} published pairs of kurtosis and spectral concentration are matched within 5 %\n",
      format_count(analysed - missed), format_count(analysed));
}

}  // namespace

void add_twin(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "twin",
                  "Write a synthetic checkpoint with the structure and statistics of an inventory");
  auto options = std::make_shared<TwinCommand>();
  command->add_option("INVENTORY", options->inventory, "CSV of names, shapes and statistics")
      ->required();
  command->add_option("OUT", options->out, "Folder to be created")->required();
  command->add_option("--scale", options->scale, "Divides the sides of matrices, never to below 32")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1048576}));
  command->add_option("--seed", options->seed, "Seed of the weights")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--shard-size", options->shard_size, "Largest shard, e.g. 4GiB");
  command->callback([options, &context] { make_twin(*options, context); });
}

}  // namespace moesweep::cli
