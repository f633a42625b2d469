#pragma once
// What schemas/ holds for editors.

#include <string>
#include <vector>

namespace moesweep::config {

struct SchemaFile {
  std::string name;
  std::string text;
};

std::vector<SchemaFile> schema_files();

}  // namespace moesweep::config
