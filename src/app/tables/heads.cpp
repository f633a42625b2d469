#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

#include <moesweep/app/tables/heads.hpp>
#include <moesweep/core/arrays/npy_text.hpp>
#include <moesweep/core/arrays/zip_writer.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/file_hash.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/output.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/model/checkpoint/header.hpp>

#include "destination.hpp"

namespace moesweep::tables {
namespace {

namespace fs = std::filesystem;
using checkpoint::TensorEntry;

constexpr std::string_view mean_name = "standardize.mean";
constexpr std::string_view sd_name = "standardize.sd";

[[noreturn]] void refuse_artifact(const fs::path& path, const std::string& problem) {
  throw Error(ExitCode::bad_input, path.string(), problem,
              "the same `moesweep run` sets it aside and trains its heads again");
}

/// Its bytes are those that were written, but no sweep of ours writes such.
[[noreturn]] void refuse_content(const fs::path& path, const std::string& problem) {
  throw Error(ExitCode::bad_input, path.string(), problem,
              "it does not hold trained heads: do not use this run directory");
}

/// The hash that the name of the row's file carries.
std::optional<Hash128> hash_of(const records::ArtifactRow& row) {
  return store::artifact_hash(row.file);
}

/// Before anything is written, so that a damaged file leaves no half of the heads behind.
void check_all(const fs::path& artifacts, std::span<const records::ArtifactRow> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto hash = hash_of(row);
    if (!hash) {
      throw Error(ExitCode::bad_input,
                  fmt::format("{}: {}, row {}",
                              store::RunDirectory{artifacts.parent_path()}.results().string(),
                              records::table_info<records::ArtifactRow>().name, i + 1),
                  fmt::format("\"{}\" is not the name of an artifact", printable(row.file)),
                  "the results are not of a sweep: do not use them");
    }
    const auto path = artifacts / row.file;
    if (!fs::exists(status_of(path))) refuse_artifact(path, "is missing");
    if (hash_of_file(path) != *hash) refuse_artifact(path, "does not match its hash");
  }
}

/// A file of trained heads, in memory as it was when it was trained: what is exported is what was
/// hashed.
struct Heads {
  fs::path path;
  std::vector<std::byte> bytes;
  std::vector<TensorEntry> tensors;
};

Heads read_heads(const fs::path& artifacts, const records::ArtifactRow& row) {
  Heads heads{artifacts / row.file, read_file(artifacts / row.file), {}};
  if (hash128(heads.bytes) != hash_of(row)) refuse_artifact(heads.path, "does not match its hash");
  heads.tensors = checkpoint::parse_header(heads.bytes, heads.bytes.size(), heads.path.string());
  std::ranges::sort(heads.tensors, {}, &TensorEntry::name);
  return heads;
}

struct Member {
  std::string name;
  const TensorEntry* tensor = nullptr;
};

struct SeedName {
  std::int64_t seed = 0;
  std::string member;
};

/// "seed7/fc1.weight" is 7 and "fc1.weight".
std::optional<SeedName> parse_seed_name(std::string_view name) {
  constexpr std::string_view prefix = "seed";
  const auto slash = name.find('/');
  if (!name.starts_with(prefix) || slash == std::string_view::npos) return std::nullopt;
  SeedName parsed;
  const auto digits = name.substr(prefix.size(), slash - prefix.size());
  const auto* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, parsed.seed);
  parsed.member = name.substr(slash + 1);
  if (error != std::errc() || stopped != end || parsed.seed < 0 ||
      !is_plain_file_name(parsed.member)) {
    return std::nullopt;
  }
  return parsed;
}

std::map<std::int64_t, std::vector<Member>> members_by_seed(const Heads& heads) {
  std::map<std::int64_t, std::vector<Member>> seeds;
  for (const auto& tensor : heads.tensors) {
    if (tensor.dtype != Dtype::f32) {
      refuse_content(heads.path, fmt::format("has {}, which is not F32", printable(tensor.name)));
    }
    if (tensor.name == mean_name || tensor.name == sd_name) continue;
    const auto name = parse_seed_name(tensor.name);
    if (!name) {
      refuse_content(heads.path, fmt::format("has a tensor \"{}\", which is not of a seed's head",
                                             printable(tensor.name)));
    }
    seeds[name->seed].push_back({name->member, &tensor});
  }
  for (const auto& tensor : heads.tensors) {
    for (auto& [seed, members] : seeds) {
      if (tensor.name == mean_name) members.push_back({"__standardize_mean__", &tensor});
      if (tensor.name == sd_name) members.push_back({"__standardize_std__", &tensor});
    }
  }
  return seeds;
}

void write_archive(const fs::path& path, const std::vector<Member>& members, const Heads& heads) {
  FilePublisher file(path);
  arrays::ZipWriter zip(file);
  for (const auto& [name, tensor] : members) {
    zip.begin(name + ".npy");
    const auto header = arrays::npy_header("<f4", tensor->shape);
    zip.add(std::as_bytes(std::span(header)));
    const auto begin = checked_cast<std::size_t>(tensor->byte_begin);
    zip.add(
        std::span(heads.bytes).subspan(begin, checked_cast<std::size_t>(tensor->byte_end) - begin));
    zip.end();
  }
  zip.finish();
  file.publish();
}

/// Of the files of a row, up to the seed. Names of variants and layers come from caches: two that
/// differ only in characters that no file name has are told apart by their artifacts.
std::vector<std::string> stems_of(std::span<const records::ArtifactRow> rows) {
  std::vector<std::string> stems;
  std::map<std::string, std::set<std::string>> texts;
  for (const auto& row : rows) {
    const auto text = fmt::format("{}-{}-{}-{}", row.variant, row.head, row.layer, row.pooling);
    constexpr std::size_t longest = 200;
    stems.push_back(plain_file_name(text, longest));
    texts[stems.back()].insert(text);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (texts[stems[i]].size() > 1) stems[i] += '-' + hash_of(rows[i])->hex().substr(0, 8);
  }
  return stems;
}

}  // namespace

std::vector<fs::path> export_heads(const fs::path& artifacts,
                                   std::span<const records::ArtifactRow> rows,
                                   const fs::path& output, bool overwrite) {
  if (rows.empty()) {
    throw Error(ExitCode::bad_input, "results", "name no trained heads",
                "run a sweep that trains heads with heads.save = true");
  }
  check_all(artifacts, rows);
  make_output_folder(output);
  const auto stems = stems_of(rows);
  remove_abandoned(output);
  std::vector<fs::path> written;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto heads = read_heads(artifacts, rows[i]);
    for (const auto& [seed, members] : members_by_seed(heads)) {
      written.push_back(output / fmt::format("{}-seed{}.npz", stems[i], seed));
      refuse_occupied(written.back(), overwrite);
      write_archive(written.back(), members, heads);
    }
  }
  return written;
}

}  // namespace moesweep::tables
