#include <moesweep/core/arrays/csv_rows.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

namespace moesweep::plan {

std::string plan_csv(const records::Plan& plan) {
  records::Table table(records::table_info<records::PlanRow>());
  for (const auto& row : plan.rows) records::append_row(table, row);
  std::string text;
  arrays::append_csv_header(text, *table.info);
  text += '\n';
  for (std::size_t row = 0; row < table.rows(); ++row) {
    arrays::append_csv_row(text, table, row);
    text += '\n';
  }
  return text;
}

}  // namespace moesweep::plan
