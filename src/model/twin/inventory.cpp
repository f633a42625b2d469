#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/checkpoint/header.hpp>
#include <moesweep/model/twin/inventory.hpp>

namespace moesweep::twin {
namespace {

constexpr std::string_view header =
    "name,shape,dtype,analysed,excess_kurtosis,spectral_concentration";
constexpr std::string_view remedy =
    "an inventory is a CSV file with the columns "
    "name,shape,dtype,analysed,excess_kurtosis,spectral_concentration";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const auto end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Elements and bytes of every tensor fit an int64.
std::optional<std::vector<std::int64_t>> parse_shape(std::string_view text) {
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 2;
  for (const auto part : split(text, 'x')) {
    const auto side = number<std::int64_t>(part);
    if (!side || *side < 1) return std::nullopt;
    const auto product = checked_product(bytes, checked_cast<std::uint64_t>(*side));
    if (!product || !std::in_range<std::int64_t>(*product)) return std::nullopt;
    bytes = *product;
    shape.push_back(*side);
  }
  if (shape.size() > checkpoint::max_rank) return std::nullopt;
  return shape;
}

bool valid_name(std::string_view name) {
  const auto printable_ascii = [](char c) { return c > ' ' && c < '\x7f' && c != '"'; };
  return !name.empty() && name.size() <= checkpoint::max_name_bytes && name != "__metadata__" &&
         std::all_of(name.begin(), name.end(), printable_ascii);
}

InventoryTensor parse_line(std::string_view line, const std::string& place) {
  const auto refuse = [&place](std::string problem) {
    throw Error(ExitCode::bad_input, place, std::move(problem), std::string(remedy));
  };
  const auto cells = split(line, ',');
  if (cells.size() != 6) refuse(fmt::format("has {} cells instead of 6", cells.size()));
  if (!valid_name(cells[0])) refuse("the name is empty, too long or not plain text");
  auto shape = parse_shape(cells[1]);
  if (!shape) refuse("the shape is not like 512x2048x4096");
  if (cells[2] != "BF16") refuse("the dtype is not BF16, which all twins have");
  InventoryTensor tensor{std::string(cells[0]), std::move(*shape), {}};
  if (cells[3] == "0" && cells[4].empty() && cells[5].empty()) return tensor;
  const auto kurtosis = number<double>(cells[4]);
  const auto concentration = number<double>(cells[5]);
  if (cells[3] != "1" || !kurtosis || !concentration) {
    refuse("analysed is not 1 with two statistics or 0 with none");
  }
  if (!(*kurtosis >= -2.0 && *kurtosis <= 1e9)) refuse("the excess kurtosis is out of range");
  if (!(*concentration > 0.0 && *concentration <= 1.0)) {
    refuse("the spectral concentration is not in (0, 1]");
  }
  tensor.statistics = {*kurtosis, *concentration};
  return tensor;
}

}  // namespace

Inventory parse_inventory(std::string_view text, const std::string& file) {
  Inventory inventory{hash128(std::as_bytes(std::span(text))), {}};
  std::int64_t line_number = 0;
  std::uint64_t bytes = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto place = fmt::format("{}:{}", file, ++line_number);
    if (line_number == 1) {
      if (line != header) {
        throw Error(ExitCode::bad_input, place, "is not the header of an inventory",
                    std::string(remedy));
      }
      continue;
    }
    auto tensor = parse_line(line, place);
    std::uint64_t size = 2;
    for (const auto side : tensor.shape) size *= checked_cast<std::uint64_t>(side);
    bytes += size;
    if (bytes > std::uint64_t{1} << 62U) {
      throw Error(ExitCode::bad_input, place, "the tensors up to here have more than 2^62 bytes");
    }
    inventory.tensors.push_back(std::move(tensor));
  }
  if (inventory.tensors.empty()) {
    throw Error(ExitCode::bad_input, file, "lists no tensors", std::string(remedy));
  }
  auto& tensors = inventory.tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(tensors.begin(), tensors.end(),
                                        [](auto& a, auto& b) { return a.name == b.name; });
  if (twice != tensors.end()) {
    throw Error(ExitCode::bad_input, file, "lists tensor " + twice->name + " twice");
  }
  return inventory;
}

Inventory read_inventory(const std::filesystem::path& file) {
  return parse_inventory(read_text_file(file), file.string());
}

}  // namespace moesweep::twin
