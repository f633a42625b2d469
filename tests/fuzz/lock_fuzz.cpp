// Files of a lock: the start and end of an epoch, and the beat.

#include <moesweep/engine/store/lock.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const auto& folder = fuzz::memory_folder();
  const auto text = fuzz::text_of(data, size);
  const auto half = text.find(char{0});
  fuzz::write_file(folder / "e0001.json", text.substr(0, half));
  fuzz::write_file(folder / "e0001.end.json",
                   half == std::string_view::npos ? text : text.substr(half + 1));
  fuzz::write_file(folder / "beat", text);
  fuzz::parses_or_refuses([&] { store::read_epochs(folder); }, {ExitCode::run_directory});
  fuzz::parses_or_refuses([&] { store::last_outlook(folder, Epoch{1}); });
  return 0;
}
