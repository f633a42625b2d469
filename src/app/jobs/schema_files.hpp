#pragma once
// What schemas/ holds for editors.

#include <string>
#include <vector>

namespace moesweep::jobs {

struct SchemaFile {
  std::string name;
  std::string text;
};

std::vector<SchemaFile> schema_files();

}  // namespace moesweep::jobs
