#include <cerrno>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/model/checkpoint/unfinished.hpp>

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr auto marker_name = ".moesweep-unfinished";
constexpr std::uint64_t most_marker_bytes = 65536;

struct Marker {
  std::string recipe;
  std::string writer;  ///< as a temporary file is named after its process
};

std::optional<Marker> read_marker(const fs::path& folder, ExitCode forbidden) {
  const auto path = folder / marker_name;
  if (!fs::is_regular_file(link_status_of(path, forbidden))) return std::nullopt;
  const auto size = size_of_file_at(path, forbidden);
  if (!size) return std::nullopt;  // finished just now
  if (*size > most_marker_bytes) return Marker{"?", ""};
  const auto text = read_text_file(path);
  try {
    const auto marker = parse_json(text, {path.string()});
    return Marker{marker.at("recipe").get<std::string>(), marker.at("writer").get<std::string>()};
  } catch (const Error&) {
    return Marker{"?", ""};
  } catch (const json::exception&) {
    return Marker{"?", ""};
  }
}

std::string marker_text(const std::string& recipe) {
  return json{{"recipe", recipe}, {"writer", temporary_name()}}.dump(1) + "\n";
}

Error not_ours(const fs::path& folder) {
  return Error(ExitCode::bad_usage, folder.string(), "is not empty",
               "give a directory that does not exist yet");
}

void require_same(const fs::path& folder, const Marker& marker, const std::string& recipe) {
  if (marker.recipe != recipe) {
    throw Error(ExitCode::bad_usage, folder.string(),
                fmt::format("holds what was begun as \"{}\" and not finished", marker.recipe),
                "finish that with the command that began it, or give another directory");
  }
  if (maker_of_temporary(marker.writer) == Liveness::alive) {
    throw Error(ExitCode::bad_usage, folder.string(), "is being written by another process",
                "wait for it, or give another directory");
  }
}

}  // namespace

bool begin_folder(const fs::path& folder, const std::string& recipe) {
  make_folders(folder);
  remove_abandoned(folder);
  const auto marker = read_marker(folder, ExitCode::io_error);
  if (marker) {
    require_same(folder, *marker, recipe);
    publish_file(folder / marker_name, std::string_view(marker_text(recipe)));
    return true;
  }
  if (!names_in_folder(folder).empty()) throw not_ours(folder);
  if (!publish_file_exclusively(folder / marker_name, marker_text(recipe))) throw not_ours(folder);
  return false;
}

void finish_folder(const fs::path& folder) {
  remove_temporaries_of_finished(folder);
  const auto path = folder / marker_name;
  if (retried([&] { return ::unlink(path.c_str()); }) != 0) {
    throw errno_error(ExitCode::io_error, path.string(), "cannot be removed", errno);
  }
  fsync_directory(folder);
}

std::string unfinished_recipe(const fs::path& folder) {
  const auto marker = read_marker(folder, ExitCode::bad_input);
  return marker ? marker->recipe : std::string();
}

}  // namespace moesweep::checkpoint
