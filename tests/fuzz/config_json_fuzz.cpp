// config.json of a checkpoint, as names and storage are told from it.

#include <moesweep/model/source/family.hpp>
#include <moesweep/model/source/model_config.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const std::string text(fuzz::text_of(data, size));
  fuzz::parses_or_refuses([&] {
    source::family_of({.config = source::family_of_config(source::model_config_from(text, ""))});
  });
  fuzz::parses_or_refuses([&] { source::model_config_from("{}", text); });
  return 0;
}
