#include <cstring>
#include <type_traits>
#include <utility>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/engine/sweep/protocol.hpp>

namespace moesweep::sweep {
namespace {

class Writer {
 public:
  template <typename Value>
  requires std::is_trivially_copyable_v<Value>
  void add(const Value& value) { append(&value, sizeof value); }
  void add(const std::string& text) {
    add(checked_cast<std::uint32_t>(text.size()));
    append(text.data(), text.size());
  }
  void add(const std::vector<UnitIndex>& units) {
    add(checked_cast<std::uint32_t>(units.size()));
    append(units.data(), units.size() * sizeof(UnitIndex));
  }
  comm::Bytes bytes;

 private:
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), first, first + size);
  }
};

class Reader {
 public:
  explicit Reader(const comm::Bytes& bytes) : bytes_(bytes) {}

  template <typename Value>
  requires std::is_trivially_copyable_v<Value>
  void take(Value& value) { copy(&value, sizeof value); }
  void take(std::string& text) {
    text.resize(take_size());
    copy(text.data(), text.size());
  }
  void take(std::vector<UnitIndex>& units) {
    units.resize(take_size());
    copy(units.data(), units.size() * sizeof(UnitIndex));
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::size_t take_size() {
    std::uint32_t size = 0;
    take(size);
    expect(size <= bytes_.size(), "message shorter than its list");
    return size;
  }
  void copy(void* to, std::size_t size) {
    expect(size <= bytes_.size() - at_, "message too short");
    if (size > 0) std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
  }
  const comm::Bytes& bytes_;
  std::size_t at_ = 0;
};

// The fields of every message, once for both directions.
template <typename Archive, typename M>
void fields(Archive&& archive, M& m) {
  using T = std::remove_const_t<M>;
  if constexpr (std::is_same_v<T, Work> || std::is_same_v<T, HandedBack>) {
    archive(m.units);
  } else if constexpr (std::is_same_v<T, Finish>) {
    archive(m.exit_code);
  } else if constexpr (std::is_same_v<T, Hello>) {
    archive(m.threads, m.host);
  } else if constexpr (std::is_same_v<T, Computed>) {
    archive(m.unit, m.failed, m.seconds, m.bytes_read);
  } else if constexpr (std::is_same_v<T, Durable>) {
    archive(m.segment, m.units);
  } else if constexpr (std::is_same_v<T, StopRequested>) {
    archive(m.leave_now);
  } else if constexpr (std::is_same_v<T, Broken>) {
    archive(m.exit_code, m.error);
  } else {
    static_assert(std::is_empty_v<T>, "message with fields that are not sent");
  }
}

template <std::size_t... Types>
Message message_of_type(std::size_t type, std::index_sequence<Types...>) {
  Message message;
  const bool known = ((type == Types && (message.emplace<Types>(), true)) || ...);
  expect(known, "message of unknown type");
  return message;
}

}  // namespace

comm::Bytes encode(const Message& message) {
  Writer writer;
  writer.add(checked_cast<std::uint8_t>(message.index()));
  std::visit(
      [&](const auto& m) { fields([&](const auto&... field) { (writer.add(field), ...); }, m); },
      message);
  return std::move(writer.bytes);
}

Message decode(const comm::Bytes& bytes) {
  Reader reader(bytes);
  std::uint8_t type = 0;
  reader.take(type);
  Message message = message_of_type(type, std::make_index_sequence<std::variant_size_v<Message>>{});
  std::visit([&](auto& m) { fields([&](auto&... field) { (reader.take(field), ...); }, m); },
             message);
  expect(reader.at_end(), "message longer than its fields");
  return message;
}

bool is_for_worker(const Message& message) {
  return message.index() < Message(Hello{}).index();
}

}  // namespace moesweep::sweep
