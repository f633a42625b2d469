#include <algorithm>
#include <array>

#include <moesweep/core/base/other_text.hpp>

namespace moesweep {
namespace {

constexpr auto download_again =
    "download the file again, with an access token if the model is gated";
constexpr std::array other_texts = {
    OtherText{"version ", "is a Git LFS pointer, not the file that it stands for",
              "fetch the files with `git lfs pull`"},
    OtherText{"<!doc", "is an HTML page", download_again},
    OtherText{"<html", "is an HTML page", download_again},
    OtherText{"<head", "is an HTML page", download_again},
    OtherText{"<?xml", "is an XML page, as servers answer when they refuse a file", download_again},
    OtherText{"{\"error\"", "is an error message of a server", download_again},
};

}  // namespace

std::string_view without_blanks_in_front(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(std::min(first, text.size()));
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const OtherText* other_text(std::string_view begin) {
  constexpr std::size_t longest = 8;
  const auto lower = lower_case(without_blanks_in_front(begin).substr(0, longest));
  const auto* const found = std::ranges::find_if(
      other_texts, [&](const OtherText& other) { return lower.starts_with(other.first_bytes); });
  return found == other_texts.end() ? nullptr : found;
}

}  // namespace moesweep
