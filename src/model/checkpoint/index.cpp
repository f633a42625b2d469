#include "index.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "json_events.hpp"

namespace moesweep::checkpoint {
namespace {

class IndexEvents final : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;

  bool null() override { return other_value(); }
  bool boolean(bool) override { return other_value(); }
  bool number_integer(std::int64_t) override { return other_value(); }
  bool number_unsigned(std::uint64_t) override { return other_value(); }
  bool number_float(double, const std::string&) override { return other_value(); }

  bool string(std::string& text) override {
    if (!in_map_) return other_value();
    entries_.push_back({.tensor = std::move(tensor_), .shard = std::move(text)});
    return true;
  }
  bool key(std::string& text) override {
    if (in_map_) {
      tensor_ = std::move(text);
      return true;
    }
    if (depth_ != 1) return true;
    map_next_ = text == "weight_map";
    if (map_next_ && map_seen_) refuse("weight_map appears twice");
    map_seen_ = map_seen_ || map_next_;
    return true;
  }
  bool start_object(std::size_t) override {
    if (in_map_) refuse("weight_map must map tensor names to file names");
    in_map_ = map_next_ && depth_ == 1;
    return deeper();
  }
  bool end_object() override {
    in_map_ = false;
    return shallower();
  }
  bool start_array(std::size_t) override {
    other_value();
    return deeper();
  }
  bool end_array() override { return shallower(); }

  std::vector<IndexEntry> take() { return std::move(entries_); }

 private:
  bool other_value() const {
    if (in_map_ || (map_next_ && depth_ == 1)) {
      refuse("weight_map must map tensor names to file names");
    }
    return true;
  }
  bool deeper() {
    constexpr std::size_t deepest = 16;
    if (++depth_ > deepest) refuse("JSON is nested too deep");
    return true;
  }
  bool shallower() {
    --depth_;
    return true;
  }

  std::vector<IndexEntry> entries_;
  std::string tensor_;
  std::size_t depth_ = 0;
  bool in_map_ = false;
  bool map_next_ = false;  // the key before was weight_map
  bool map_seen_ = false;
};

}  // namespace

std::vector<IndexEntry> parse_index(std::span<const std::byte> text, const std::string& file) {
  IndexEvents events(file);
  read_json(text, events);
  auto entries = events.take();
  if (entries.empty()) {
    throw Error(ExitCode::bad_input, file, "has no weight_map with tensors in it",
                "download the checkpoint again, or remove the index to read every shard");
  }
  std::sort(entries.begin(), entries.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.tensor < b.tensor; });
  const auto twice = std::adjacent_find(
      entries.begin(), entries.end(),
      [](const IndexEntry& a, const IndexEntry& b) { return a.tensor == b.tensor; });
  if (twice != entries.end()) {
    throw Error(ExitCode::bad_input, file,
                fmt::format("tensor {} is listed twice", in_quotes(twice->tensor)),
                "remove the line that is wrong");
  }
  return entries;
}

}  // namespace moesweep::checkpoint
