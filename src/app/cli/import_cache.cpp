// `moesweep import-cache SOURCE OUT.h5`: a cache of hidden states from arrays of numpy or
// safetensors.

#include <cmath>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/import_cache.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/text.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

struct ImportCommand {
  jobs::ImportOptions options;
  std::vector<std::string> maps;
  std::string model_bytes;
  std::vector<double> random_split;
  std::int64_t seed = 0;
};

std::map<std::string, std::string> parse_maps(const std::vector<std::string>& maps) {
  std::map<std::string, std::string> renamed;
  for (const auto& map : maps) {
    const auto equals = map.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == map.size()) {
      throw Error(ExitCode::bad_usage, "--map", "is not NAME=ARRAY: " + map,
                  "write for example L1/mean=hidden_mean");
    }
    if (!renamed.emplace(map.substr(0, equals), map.substr(equals + 1)).second) {
      throw Error(ExitCode::bad_usage, "--map", map.substr(0, equals) + " is given twice");
    }
  }
  return renamed;
}

jobs::RandomSplit parse_split(const std::vector<double>& shares, std::int64_t seed) {
  bool valid = shares.size() == 3;
  double sum = 0.0;
  for (const auto share : shares) {
    valid = valid && share >= 0.0;
    sum += share;
  }
  constexpr double tolerance = 1e-9;
  if (!valid || shares[0] <= 0.0 || shares[2] <= 0.0 || !(std::abs(sum - 1.0) <= tolerance)) {
    throw Error(ExitCode::bad_usage, "--random-split", "is not three shares that sum to 1",
                "write train,calibration,test, for example 0.7,0.1,0.2");
  }
  return {shares[0], shares[1], shares[2], checked_cast<std::uint64_t>(seed)};
}

std::map<std::string, std::int64_t> count_splits(const records::HiddenCacheInfo& info) {
  std::map<std::string, std::int64_t> counts;
  for (const auto split : info.split) {
    ++counts[records::split_names.at(static_cast<std::size_t>(split))];
  }
  return counts;
}

void print(const jobs::ImportedCache& made, const std::string& path, const Context& context) {
  const auto& info = made.info;
  auto splits = count_splits(info);
  if (context.json) {
    return print_json({{"path", path},
                       {"variant", info.variant},
                       {"samples", info.samples},
                       {"train", splits["train"]},
                       {"calibration", splits["calibration"]},
                       {"test", splits["test"]},
                       {"spans", info.spans},
                       {"hidden_dim", info.hidden_dim},
                       {"label_names", info.label_names},
                       {"layers", info.layers},
                       {"datasets", made.datasets},
                       {"unused", made.unused},
                       {"bytes", made.bytes}});
  }
  if (context.quiet) return;
  fmt::print("{}: {} samples (train {}, calibration {}, test {}), {} dimensions, {}, {}\n",
             printable(path), format_count(info.samples), format_count(splits["train"]),
             format_count(splits["calibration"]), format_count(splits["test"]),
             format_count(info.hidden_dim),
             printable(fmt::format("{}", fmt::join(made.datasets, " "))), format_size(made.bytes));
  if (!made.unused.empty()) {
    fmt::print("not used: {}\n", printable(fmt::format("{}", fmt::join(made.unused, " "))));
  }
}

void make_cache(ImportCommand& command, const Context& context) {
  auto& options = command.options;
  require_folder_of(options.out);
  options.renamed = parse_maps(command.maps);
  if (!command.model_bytes.empty()) {
    const auto bytes = parse_size(command.model_bytes);
    if (!bytes) {
      throw Error(ExitCode::bad_usage, "--model-bytes", "is not a size: " + command.model_bytes,
                  "write bytes or for example 244GB");
    }
    options.model_bytes = *bytes;
  }
  if (!command.random_split.empty()) {
    options.random_split = parse_split(command.random_split, command.seed);
  }
  print(jobs::import_cache(options), options.out.string(), context);
}

}  // namespace

void add_import_cache(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "import-cache",
                              "Make a cache of hidden states from numpy or safetensors arrays");
  auto given = std::make_shared<ImportCommand>();
  auto& options = given->options;
  command->add_option("SOURCE", options.source, ".npz, folder of .npy or .safetensors")->required();
  command->add_option("OUT", options.out, "<variant>.h5 to be written")->required();
  command->add_option("--map", given->maps, "NAME=ARRAY: which array holds e.g. labels or L1/mean")
      ->take_all();
  command->add_option("--label-names", options.label_names, "Names of labels 0, 1, ...")
      ->delimiter(',');
  command->add_option("--model", options.model, "Name of the model");
  command->add_option("--bits", options.bits, "Bits a weight of the variant")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--group-size", options.group_size, "Weights that share a scale")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--model-bytes", given->model_bytes, "Size of the variant's weights");
  auto* split = command->add_option("--random-split", given->random_split,
                                    "Shares of train,calibration,test, drawn within each label");
  split->delimiter(',');
  command->add_option("--seed", given->seed, "Seed of --random-split")
      ->check(CLI::NonNegativeNumber)
      ->needs(split);
  command->add_option("--sample-ids", options.sample_ids, "Text file with an id a line");
  command->callback([given, &context] { make_cache(*given, context); });
}

}  // namespace moesweep::cli
