#pragma once
// ResultSink over the store's segment writer.

#include <string>

#include <moesweep/engine/store/segment_writer.hpp>
#include <moesweep/engine/sweep/ports.hpp>

namespace moesweep::run {

class SegmentSink final : public sweep::ResultSink {
 public:
  SegmentSink(const sweep::Plan& plan, std::string host, store::SegmentWriterOptions options)
      : plan_(plan),
        host_(std::move(host)),
        epoch_(options.epoch),
        rank_(options.rank),
        writer_(std::move(options)) {}

  void put(sweep::Outcome outcome) override;
  void flush() override { writer_.flush(); }
  std::optional<sweep::Published> poll() override;

 private:
  const sweep::Plan& plan_;
  std::string host_;
  Epoch epoch_;
  Rank rank_;
  store::SegmentWriter writer_;
};

}  // namespace moesweep::run
