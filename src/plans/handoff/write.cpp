#include <memory>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/output.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/plans/handoff/export_plan.hpp>

namespace moesweep::handoff {

std::vector<std::filesystem::path> write_plan_export(const PlanExport& made,
                                                     const std::filesystem::path& folder,
                                                     bool overwrite) {
  auto files = made.files;
  files.push_back({"HOW-TO-USE.txt", printable_lines(made.how_to_use) + '\n'});
  std::vector<std::filesystem::path> written;
  for (const auto& file : files) {
    expect(is_plain_file_name(file.name), "a file of an export without a plain name");
    written.push_back(folder / file.name);
    refuse_occupied(written.back(), overwrite);
  }
  make_output_folder(folder);
  remove_abandoned(folder);
  std::vector<std::unique_ptr<FilePublisher>> publishers;
  for (std::size_t i = 0; i < files.size(); ++i) {
    publishers.push_back(std::make_unique<FilePublisher>(written[i]));
    publishers.back()->write(std::as_bytes(std::span(files[i].text)));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (overwrite) {
      publishers[i]->publish();
    } else if (!publishers[i]->publish_exclusively()) {
      throw exists_already(written[i]);
    }
  }
  return written;
}

}  // namespace moesweep::handoff
