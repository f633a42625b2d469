#include "hidden_cache_frames.hpp"

#include <moesweep/core/base/cast.hpp>

#include "hdf5_file.hpp"
#include "isolated.hpp"
#include "plain_values.hpp"

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;

// One order for both directions: `field` is told each member.
template <typename Info, typename Field>
void for_each_field(Info& info, const Field& field) {
  field(info.model);
  field(info.bits);
  field(info.group_size);
  field(info.model_bytes);
  field(info.hidden_dim);
  field(info.label_names);
  field(info.sample_id);
  field(info.cluster);
  field(info.label);
  field(info.split);
  field(info.cited);
  field(info.span_tokens);
  field(info.n_tokens);
}

struct Send {
  PlainWriter& out;
  void operator()(std::int64_t value) const { out.number(value); }
  void operator()(const std::string& value) const { out.text(value); }
  void operator()(const std::vector<std::string>& values) const { out.texts(values); }
  template <typename Value>
  void operator()(const std::vector<Value>& values) const {
    out.numbers(values);
  }
};

struct Receive {
  PlainReader& in;
  void operator()(std::int64_t& value) const { value = in.number(); }
  void operator()(std::string& value) const { value = in.text(); }
  void operator()(std::vector<std::string>& values) const { values = in.texts(); }
  template <typename Value>
  void operator()(std::vector<Value>& values) const {
    values = in.numbers<Value>();
  }
};

// Names and shapes as one list: layer, then its datasets, each with its sides.
void send_shapes(const layout::FileShapes& shapes, PlainWriter& out) {
  out.texts(shapes.layer_names);
  std::vector<std::string> layers;
  for (const auto& [layer, content] : shapes.layers) layers.push_back(layer);
  out.texts(layers);
  for (const auto& [layer, content] : shapes.layers) {
    std::vector<std::string> names;
    for (const auto& [name, shape] : content.datasets) names.push_back(name);
    out.texts(names);
    for (const auto& [name, shape] : content.datasets) out.numbers(shape);
  }
}

layout::FileShapes receive_shapes(PlainReader& in) {
  layout::FileShapes shapes;
  shapes.layer_names = in.texts();
  for (const auto& layer : in.texts()) {
    auto& content = shapes.layers[layer];
    for (const auto& name : in.texts()) {
      content.datasets[name] = in.numbers<std::int64_t>();
    }
  }
  return shapes;
}

}  // namespace

void send_contents(const CacheContents& contents, FrameWriter& frames) {
  PlainWriter out(frames);
  for_each_field(contents.info, Send{out});
  send_shapes(contents.shapes, out);
  out.number(checked_cast<std::int64_t>(contents.skills.size()));
  for (const auto& [name, classes] : contents.skills) {
    out.text(name);
    out.numbers(classes);
  }
  out.numbers(contents.token_offsets);
}

CacheContents receive_contents(FrameReader& frames, const std::string& file_name) {
  PlainReader in(frames, file_name, most_content_bytes);
  CacheContents contents;
  auto& info = contents.info;
  for_each_field(info, Receive{in});
  info.samples = checked_cast<std::int64_t>(info.label.size());
  info.spans =
      info.label.empty() ? 0 : checked_cast<std::int64_t>(info.cited.size() / info.label.size());
  contents.shapes = receive_shapes(in);
  for (auto left = in.count(); left > 0; --left) {
    auto name = in.text();
    contents.skills.emplace_back(std::move(name), in.numbers<std::int8_t>());
    if (contents.skills.back().second.size() != info.label.size()) {
      throw BrokenStream(BrokenStream::Why::makes_no_sense);
    }
  }
  contents.token_offsets = in.numbers<std::int64_t>();
  return contents;
}

CacheContents read_contents(const std::filesystem::path& path,
                            const std::function<CacheContents(hid_t)>& read) {
  CacheContents contents;
  const auto send = [&](FrameWriter& frames) {
    CacheContents found;
    with_file(path, [&](hid_t file) { found = read(file); });
    send_contents(found, frames);
  };
  const auto receive = [&](FrameReader& frames) {
    contents = receive_contents(frames, path.string());
  };
  read_isolated(path.string(), ReaderLimits{}, send, receive);
  return contents;
}

}  // namespace moesweep::store
