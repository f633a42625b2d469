#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/checkpoint/header.hpp>

#include "allocation_source.hpp"

namespace moesweep::planning {
namespace {

constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// The cells of a line by the names of their columns.
class Line {
 public:
  Line(const std::map<std::string, std::size_t>& columns, const std::vector<std::string>& cells)
      : columns_(columns), cells_(cells) {}

  const std::string* find(const std::string& column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? nullptr : &cells_.at(found->second);
  }
  /// Of the first column that the file has; NaN without one.
  double number(std::initializer_list<const char*> names, const CsvRecords& records) const {
    for (const auto* name : names) {
      const auto* cell = find(name);
      if (cell == nullptr) continue;
      const auto value = csv_number(*cell);
      if (!value) throw records.complaint(fmt::format("{} is no number", name));
      return *value;
    }
    return not_measured;
  }

 private:
  const std::map<std::string, std::size_t>& columns_;
  const std::vector<std::string>& cells_;
};

// Far more than any tensor has, and few enough for the bits of many of them to be added up.
constexpr std::uint64_t most_weights = std::uint64_t{1} << 48;

std::optional<std::vector<std::int64_t>> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::uint64_t weights = 1;
  for (const auto& part : split_text(text, 'x')) {
    std::int64_t side = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), side);
    if (error != std::errc() || end != part.data() + part.size() || side < 1) return std::nullopt;
    const auto product = checked_product(weights, checked_cast<std::uint64_t>(side));
    if (!product || *product > most_weights) return std::nullopt;
    weights = *product;
    shape.push_back(side);
  }
  if (shape.size() > checkpoint::max_rank) return std::nullopt;
  return shape;
}

checkpoint::Tensor tensor_of(const Line& line, const CsvRecords& records) {
  checkpoint::Tensor tensor;
  tensor.name = *line.find("name");
  if (tensor.name.empty()) throw records.complaint("a tensor without name");
  if (has_control_characters(tensor.name)) {
    throw records.complaint("a tensor's name has control characters");
  }
  auto shape = parse_shape(*line.find("shape"));
  if (!shape) throw records.complaint("the shape is not like 512x2048x4096");
  tensor.shape = std::move(*shape);
  const auto* cell = line.find("dtype");
  const auto dtype = cell == nullptr ? Dtype::bf16 : parse_dtype(*cell);
  if (!dtype) throw records.complaint(fmt::format("\"{}\" is no dtype of safetensors", *cell));
  tensor.dtype = *dtype;
  tensor.byte_end =
      checked_cast<std::uint64_t>((tensor.params() * dtype_bits(tensor.dtype) + 7) / 8);
  return tensor;
}

/// SWAN's rule on published metrics; nothing when one of the four is missing.
std::optional<allocation::SwanScore> swan_of(const checkpoint::Tensor& tensor, const Line& line,
                                             const CsvRecords& records) {
  namespace s = sensitivity;
  const double kurtosis = line.number({"excess_kurtosis"}, records);
  const double svd = line.number({"spectral_concentration", "svd_concentration"}, records);
  const double noise = line.number({"noise_amplification", "output_delta"}, records);
  const double error = line.number({"nrmse_rtn_4bit_g128", "nrmse_4bit_g128"}, records);
  const s::Options options;
  const auto& weights = options.weights;
  const double composite =
      weights.svd * s::score_svd(svd) + weights.kurtosis * s::score_kurtosis(kurtosis) +
      weights.noise * s::score_noise(noise) + weights.error * s::score_error(error);
  const auto view = s::view_of(tensor, options);
  if (view.slices > 0 && std::isnan(composite)) return std::nullopt;
  const auto decision = s::decide_bits(tensor.name, view, composite, options);
  return allocation::SwanScore{decision.bits, composite, decision.reason.starts_with("composite "),
                               decision.reason};
}

std::map<std::string, std::size_t> columns_of(const std::vector<std::string>& header,
                                              const CsvRecords& records) {
  std::map<std::string, std::size_t> columns;
  for (std::size_t i = 0; i < header.size(); ++i) columns[header[i]] = i;
  for (const auto* needed : {"name", "shape"}) {
    if (!columns.contains(needed)) throw records.complaint(fmt::format("no column {}", needed));
  }
  return columns;
}

}  // namespace

AllocationSource read_allocation_csv(const std::filesystem::path& file) {
  const auto text = read_text_file(file);
  CsvRecords records(text, file.string());
  const auto header = records.next();
  if (!header) throw records.complaint("an inventory needs a header line");
  const auto columns = columns_of(*header, records);
  AllocationSource source;
  source.place = file.string();
  source.name = checkpoint::name_of(file);
  std::map<std::string, allocation::SwanScore> scores;
  std::map<std::string, std::int64_t> lines;
  while (const auto cells = records.next()) {
    if (cells->size() != header->size()) throw records.complaint("a cell too many or too few");
    const Line line(columns, *cells);
    auto tensor = tensor_of(line, records);
    if (!lines.emplace(tensor.name, records.line()).second) {
      throw records.complaint(fmt::format("{} a second time", printable(tensor.name)));
    }
    if (auto score = swan_of(tensor, line, records)) scores[tensor.name] = std::move(*score);
    source.checkpoint.tensors.push_back(std::move(tensor));
  }
  if (lines.empty()) throw records.complaint("no tensors");
  describe_tensors(source);
  for (auto& tensor : source.tensors) {
    const auto score = scores.find(tensor.name);
    if (score != scores.end()) tensor.swan = score->second;
  }
  return source;
}

}  // namespace moesweep::planning
