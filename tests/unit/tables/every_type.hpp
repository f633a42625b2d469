#pragma once
// A record with a column of every type, and doubles that are hard to write.

#include <array>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <moesweep/app/tables/export.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::test {

struct EveryTypeRow {
  std::string text;
  double real = 0.0;
  std::uint64_t id = 0;
  std::int64_t big = 0;
  std::int32_t middle = 0;
  std::int8_t small = 0;
};

struct NoteRow {
  std::string note;
};

}  // namespace moesweep::test

namespace moesweep::records {

template <>
struct TableOf<test::EveryTypeRow> {
  using Row = test::EveryTypeRow;
  static constexpr auto name = "every/type";
  static constexpr auto description = "One column of every type";
  static constexpr bool in_digest = false;
  static constexpr auto columns =
      std::tuple{Column{"text", &Row::text, "", "text"},  Column{"real", &Row::real, "1", "real"},
                 Column{"id", &Row::id, "", "id"},        Column{"big", &Row::big, "1", "big"},
                 Column{"middle", &Row::middle, "1", ""}, Column{"small", &Row::small, "1", ""}};
};

template <>
struct TableOf<test::NoteRow> {
  static constexpr auto name = "notes";
  static constexpr auto description = "A single column";
  static constexpr bool in_digest = false;
  static constexpr auto columns = std::tuple{Column{"note", &test::NoteRow::note, "", "note"}};
};

}  // namespace moesweep::records

namespace moesweep::test {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline constexpr std::array hard_doubles = {0.1,
                                            1.0 / 3.0,
                                            5e-324,
                                            2.2250738585072011e-308,
                                            std::numeric_limits<double>::max(),
                                            -std::numeric_limits<double>::min(),
                                            9007199254740993.0,
                                            1e22,
                                            1e23,
                                            123456789012345680.0,
                                            -2.5,
                                            3.0};

inline records::Tables table_of_reals(std::span<const double> values) {
  records::Tables tables;
  for (const double value : values) append_row(tables, EveryTypeRow{.text = "x", .real = value});
  return tables;
}

/// Exports the only table of `tables` to a file and returns its lines.
std::vector<std::string> exported_lines(const records::Tables& tables, const std::string& format);

}  // namespace moesweep::test
