#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/model/checkpoint/header.hpp>

#include "json_events.hpp"

namespace moesweep::checkpoint {

/// Collects the tensors of a header. Sizes are checked against the shape, ranges against the
/// `data_bytes` that follow the header; how ranges fit together is left to the caller.
class HeaderEvents final : public JsonEvents {
 public:
  /// `data_begin` is added to every offset.
  HeaderEvents(std::string file, std::uint64_t data_begin, std::uint64_t data_bytes)
      : JsonEvents(std::move(file)), data_begin_(data_begin), data_bytes_(data_bytes) {}

  bool number_unsigned(std::uint64_t number) override;
  bool string(std::string& text) override;
  bool start_object(std::size_t) override;
  bool key(std::string& text) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;

  /// In the order of the header. Call once, after read_json.
  std::vector<TensorEntry> take() { return std::move(entries_); }

 protected:
  std::string context() const override;

 private:
  enum class Place { outside, top, metadata, tensor, shape, offsets };
  enum Field : std::uint8_t { none = 0, dtype = 1, shape = 2, offsets = 4, all = 7 };

  void begin_tensor();
  void begin_field(const std::string& name);
  void finish_tensor();
  void finish_metadata();
  std::uint64_t shape_bytes() const;

  std::uint64_t data_begin_;
  std::uint64_t data_bytes_;
  std::vector<TensorEntry> entries_;
  std::vector<std::string> metadata_keys_;
  Place place_ = Place::outside;
  bool metadata_seen_ = false;

  std::string name_;  // key of the object being read
  TensorEntry entry_;
  std::uint8_t fields_seen_ = none;
  Field field_ = none;
  std::array<std::uint64_t, 2> range_{};
  std::size_t range_count_ = 0;
};

}  // namespace moesweep::checkpoint
