#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include <fmt/format.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/checkpoint/checkpoint.hpp>
#include <moesweep/export/heads.hpp>

#include "destination.hpp"
#include "npy_header.hpp"
#include "zip_writer.hpp"

namespace moesweep::exports {
namespace {

using checkpoint::Tensor;

constexpr std::string_view mean_name = "standardize.mean";
constexpr std::string_view sd_name = "standardize.sd";

struct Member {
  std::string name;
  const Tensor* tensor = nullptr;
};

// "seed7/fc1.weight" -> 7 and "fc1.weight".
std::map<std::int64_t, std::vector<Member>> members_by_seed(const checkpoint::Checkpoint& file) {
  constexpr std::string_view prefix = "seed";
  std::map<std::int64_t, std::vector<Member>> seeds;
  for (const auto& tensor : file.tensors) {
    const auto slash = tensor.name.find('/');
    if (!tensor.name.starts_with(prefix) || slash == std::string::npos) continue;
    const auto seed = std::stoll(tensor.name.substr(prefix.size(), slash - prefix.size()));
    seeds[seed].push_back({tensor.name.substr(slash + 1), &tensor});
  }
  for (const auto& tensor : file.tensors) {
    for (auto& [seed, members] : seeds) {
      if (tensor.name == mean_name) members.push_back({"__standardize_mean__", &tensor});
      if (tensor.name == sd_name) members.push_back({"__standardize_std__", &tensor});
    }
  }
  return seeds;
}

void write_archive(const std::filesystem::path& path, const std::vector<Member>& members,
                   const checkpoint::TensorReader& reader) {
  FilePublisher file(path);
  ZipWriter zip(file);
  std::vector<std::byte> bytes;
  for (const auto& member : members) {
    bytes.resize(checked_cast<std::size_t>(member.tensor->bytes()));
    reader.read(*member.tensor, 0, bytes);
    zip.begin(member.name + ".npy");
    const auto header = npy_header("<f4", member.tensor->shape);
    zip.add(std::as_bytes(std::span(header)));
    zip.add(bytes);
    zip.end();
  }
  zip.finish();
  file.publish();
}

std::string file_name(const records::ArtifactRow& row, std::int64_t seed) {
  auto name =
      fmt::format("{}-{}-{}-{}-seed{}.npz", row.variant, row.head, row.layer, row.pooling, seed);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace

std::vector<std::filesystem::path> export_heads(const std::filesystem::path& artifacts,
                                                std::span<const records::ArtifactRow> rows,
                                                const std::filesystem::path& output,
                                                bool overwrite) {
  if (rows.empty()) {
    throw Error(ExitCode::bad_input, "results", "name no trained heads",
                "run a sweep that trains heads with heads.save = true");
  }
  create_folder(output);
  std::vector<std::filesystem::path> written;
  for (const auto& row : rows) {
    const auto file = checkpoint::open_checkpoint(artifacts / row.file);
    const checkpoint::TensorReader reader(file, {.threads = 1});
    for (const auto& [seed, members] : members_by_seed(file)) {
      written.push_back(output / file_name(row, seed));
      refuse_occupied(written.back(), overwrite);
      write_archive(written.back(), members, reader);
    }
  }
  return written;
}

}  // namespace moesweep::exports
