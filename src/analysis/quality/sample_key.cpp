#include "sample_key.hpp"

#include <fmt/format.h>

namespace moesweep::quality {

Hash128 sample_key(const Sample& sample, std::string& scratch) {
  scratch.clear();
  for (const auto part : {sample.model, sample.level, sample.task, sample.metric, sample.id}) {
    scratch += part;
    scratch += '\0';
  }
  return hash128(std::as_bytes(std::span(scratch)));
}

Error told_twice(const Sample& sample, const LineReader& reader, std::uint64_t first_offset) {
  return reader.complaint(fmt::format(
      "is sample {} of {} at {} a second time, line {} is the first; if it was answered several "
      "times, give each answer a name of its own",
      printable(sample.id), printable(sample.metric), printable(sample.level),
      reader.line_number(first_offset)));
}

std::uint64_t offset_of_first(const std::filesystem::path& file, const Hash128& key) {
  LineReader reader(file, {0, ~std::uint64_t{0}});
  SampleParser parser;
  Sample sample;
  std::string scratch;
  while (const auto line = reader.next()) {
    if (!parser.parse(*line, reader, sample) || sample.id.empty()) continue;
    if (sample_key(sample, scratch) == key) return reader.line_offset();
  }
  return 0;
}

}  // namespace moesweep::quality
