#pragma once
// Tables and attributes of results.h5 on their way out of the process that HDF5 runs in.

#include <cstdint>
#include <string>

#include <moesweep/core/records/table.hpp>
#include <moesweep/engine/store/results.hpp>

#include "plain_values.hpp"

namespace moesweep::store {

/// What tables may take in memory of a file of `file_bytes`: 1 GiB, or 256 bytes a byte of the file
/// where that is more. Long tables, the ones that shrink most, have measured 55.
std::uint64_t results_bytes_for(std::uint64_t file_bytes);

/// Attributes, then tables in the order of the catalog, each column by column, then the end.
class ResultsWriter {
 public:
  explicit ResultsWriter(FrameWriter& frames) : out_(frames) {}

  void attributes(const Attributes& attributes);
  void begin_table(const records::TableInfo& info);
  void column(const records::ColumnValues& values);
  void end();

 private:
  PlainWriter out_;
};

/// Throws as FrameReader and PlainReader do; what it returns are tables of the catalog with columns
/// of equal length.
Results receive_results(FrameReader& frames, const std::string& file_name,
                        std::uint64_t most_bytes);

}  // namespace moesweep::store
