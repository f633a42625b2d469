#include "header_events.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/foreign_name.hpp>

namespace moesweep::checkpoint {
namespace {

constexpr std::uint64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view metadata_name = "__metadata__";

}  // namespace

std::string HeaderEvents::context() const {
  if (place_ == Place::outside) return {};
  if (place_ == Place::metadata) return fmt::format("{}: ", metadata_name);
  return name_.empty() ? std::string() : fmt::format("tensor {}: ", in_quotes(name_));
}

bool HeaderEvents::start_object(std::size_t) {
  switch (place_) {
    case Place::outside:
      place_ = Place::top;
      return true;
    case Place::top:
      if (name_ == metadata_name) {
        if (metadata_seen_) refuse("appears twice");
        metadata_seen_ = true;
        place_ = Place::metadata;
      } else {
        begin_tensor();
      }
      return true;
    default:
      refuse("unexpected object: nested too deep");
  }
}

bool HeaderEvents::key(std::string& text) {
  switch (place_) {
    case Place::top:
      name_ = std::move(text);
      return true;
    case Place::metadata:
      metadata_keys_.push_back(std::move(text));
      return true;
    default:
      begin_field(text);
      return true;
  }
}

bool HeaderEvents::string(std::string& text) {
  if (place_ == Place::metadata) return true;
  if (place_ != Place::tensor || field_ != dtype) return JsonEvents::string(text);
  const auto parsed = parse_dtype(text);
  if (!parsed) refuse(fmt::format("dtype {} is not supported", in_quotes(text)));
  entry_.dtype = *parsed;
  field_ = none;
  return true;
}

bool HeaderEvents::start_array(std::size_t) {
  if (place_ != Place::tensor) refuse("unexpected array");
  if (field_ == shape) {
    place_ = Place::shape;
  } else if (field_ == offsets) {
    place_ = Place::offsets;
  } else {
    refuse("unexpected array");
  }
  return true;
}

bool HeaderEvents::number_unsigned(std::uint64_t number) {
  if (place_ == Place::shape) {
    if (entry_.shape.size() == max_rank) {
      refuse(fmt::format("has more than {} dimensions", max_rank));
    }
    if (number > int64_max) refuse("shape is too large");
    entry_.shape.push_back(static_cast<std::int64_t>(number));
    return true;
  }
  if (place_ != Place::offsets) return JsonEvents::number_unsigned(number);
  if (range_count_ == range_.size()) refuse("data_offsets must be two numbers");
  range_[range_count_++] = number;
  return true;
}

bool HeaderEvents::end_array() {
  place_ = Place::tensor;
  field_ = none;
  return true;
}

bool HeaderEvents::end_object() {
  switch (place_) {
    case Place::tensor:
      finish_tensor();
      place_ = Place::top;
      break;
    case Place::metadata:
      finish_metadata();
      place_ = Place::top;
      break;
    default:
      place_ = Place::outside;
  }
  name_.clear();
  return true;
}

void HeaderEvents::begin_tensor() {
  if (name_.empty()) refuse("a tensor has an empty name");
  if (name_.size() > max_name_bytes) {
    refuse(fmt::format("name is longer than {} bytes", max_name_bytes));
  }
  if (has_control_characters(name_)) refuse("name has control characters");
  entry_ = {};
  fields_seen_ = none;
  field_ = none;
  range_count_ = 0;
  place_ = Place::tensor;
}

void HeaderEvents::begin_field(const std::string& name) {
  if (name == "dtype") {
    field_ = dtype;
  } else if (name == "shape") {
    field_ = shape;
  } else if (name == "data_offsets") {
    field_ = offsets;
  } else {
    refuse(fmt::format("unknown key {}", in_quotes(name)));
  }
  if ((fields_seen_ & field_) != 0) refuse(fmt::format("{} appears twice", name));
  fields_seen_ = static_cast<std::uint8_t>(fields_seen_ | field_);
}

void HeaderEvents::finish_tensor() {
  if (fields_seen_ != all) refuse("must have dtype, shape and data_offsets");
  if (range_count_ != range_.size()) refuse("data_offsets must be two numbers");
  const auto [begin, end] = range_;
  if (begin > end) refuse(fmt::format("data_offsets [{}, {}] run backwards", begin, end));
  if (end > data_bytes_) {
    throw Error(ExitCode::bad_input, file(),
                fmt::format("{}bytes {} to {} were expected but only {} follow the header",
                            context(), begin, end, data_bytes_),
                "the file is truncated, copy or download it again");
  }
  const auto bytes = shape_bytes();
  if (bytes != end - begin) {
    refuse(fmt::format("shape x dtype is {} bytes but data_offsets span {}", bytes, end - begin));
  }
  entry_.byte_begin = data_begin_ + begin;
  entry_.byte_end = data_begin_ + end;
  entry_.name = std::move(name_);
  entries_.push_back(std::move(entry_));
}

void HeaderEvents::finish_metadata() {
  std::sort(metadata_keys_.begin(), metadata_keys_.end());
  const auto twice = std::adjacent_find(metadata_keys_.begin(), metadata_keys_.end());
  if (twice != metadata_keys_.end()) refuse(fmt::format("key {} appears twice", in_quotes(*twice)));
}

std::uint64_t HeaderEvents::shape_bytes() const {
  // Zeros are left out of the product that is checked, so that a partial product of an accepted
  // shape never overflows, wherever the zero stands.
  auto bits = checked_cast<std::uint64_t>(dtype_bits(entry_.dtype));
  bool empty = false;
  for (const auto side : entry_.shape) {
    if (side == 0) {
      empty = true;
      continue;
    }
    const auto product = checked_product(bits, static_cast<std::uint64_t>(side));
    if (!product || *product / 8 > int64_max) refuse("shape is too large");
    bits = *product;
  }
  if (empty) return 0;
  if (bits % 8 != 0) refuse("its elements do not fill whole bytes");
  return bits / 8;
}

}  // namespace moesweep::checkpoint
