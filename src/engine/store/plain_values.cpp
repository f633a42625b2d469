#include "plain_values.hpp"

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep::store {
namespace {

constexpr std::uint64_t max_count = std::uint64_t{1} << 40;

}  // namespace

void PlainWriter::text(const std::string& value) {
  number(static_cast<std::int64_t>(value.size()));
  out_.write(std::as_bytes(std::span(value)));
}

void PlainWriter::texts(const std::vector<std::string>& values) {
  number(static_cast<std::int64_t>(values.size()));
  for (const auto& value : values) text(value);
}

void PlainReader::claim(std::uint64_t size, std::uint64_t bytes_each) {
  const auto bytes = checked_product(size, bytes_each);
  if (!bytes || *bytes > left_) {
    throw Error(ExitCode::bad_input, file_name_,
                fmt::format("holds more than {} when unpacked",
                            format_size(checked_cast<std::int64_t>(most_))),
                "no more is read of a file of its size");
  }
  left_ -= *bytes;
}

std::int64_t PlainReader::number() {
  std::int64_t value = 0;
  in_.read(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::uint64_t PlainReader::count() {
  const auto value = number();
  if (value < 0 || std::cmp_greater(value, max_count)) {
    throw BrokenStream(BrokenStream::Why::makes_no_sense);
  }
  return static_cast<std::uint64_t>(value);
}

std::string PlainReader::text() {
  const auto size = count();
  claim(size, 1);
  return arrived<std::string>(size);
}

std::vector<std::string> PlainReader::texts() {
  const auto size = count();
  claim(size, sizeof(std::string));
  std::vector<std::string> values;
  for (std::uint64_t i = 0; i < size; ++i) values.push_back(text());
  return values;
}

}  // namespace moesweep::store
