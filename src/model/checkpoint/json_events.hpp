#pragma once
// JSON from strangers, as events: no document is built, so memory is bounded by what a reader
// keeps, and duplicate keys and nesting are seen.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace moesweep::checkpoint {

/// Refuses every event; a reader overrides the ones that its format has.
class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonEvents(std::string file) : file_(std::move(file)) {}

  bool null() override { refuse("unexpected null"); }
  bool boolean(bool) override { refuse("unexpected true or false"); }
  bool number_integer(std::int64_t) override { refuse("unexpected negative number"); }
  bool number_unsigned(std::uint64_t) override { refuse("unexpected number"); }
  /// Integers of 2^64 and more arrive here too.
  bool number_float(double, const std::string&) override {
    refuse("unexpected number: not an integer below 2^64");
  }
  bool string(std::string&) override { refuse("unexpected string"); }
  bool binary(nlohmann::json::binary_t&) override { refuse("unexpected binary value"); }
  bool start_object(std::size_t) override { refuse("unexpected object"); }
  bool key(std::string&) override { refuse("unexpected key"); }
  bool end_object() override { refuse("unexpected end of an object"); }
  bool start_array(std::size_t) override { refuse("unexpected array"); }
  bool end_array() override { refuse("unexpected end of an array"); }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& error) override;

  /// Throws Error(bad_input); the place within the file, when known, comes before `problem`.
  [[noreturn]] void refuse(std::string_view problem) const;

 protected:
  /// What is being read, for messages: "tensor 'a': ", or nothing.
  virtual std::string context() const { return {}; }
  const std::string& file() const { return file_; }

 private:
  std::string file_;
};

/// Sends the events of one JSON object, which must fill `text` but for white space.
void read_json(std::span<const std::byte> text, JsonEvents& events);

/// `text` in quotes, cut to a length that fits in a message.
std::string in_quotes(std::string_view text);

}  // namespace moesweep::checkpoint
