#pragma once
// Rows of a job as if its heads had been trained: samples, variants, and who predicted what.

#include <string>
#include <vector>

#include <moesweep/core/records/heads.hpp>

namespace moesweep::heads {

/// Classes are written as their first letters: A(PPROVE), R(EVISE), V(ETO).
class JobRows {
 public:
  explicit JobRows(std::string label_names = "APPROVE,REVISE,VETO")
      : label_names_(std::move(label_names)) {}

  void variant(const std::string& name, bool is_baseline = false) {
    records::VariantRow row;
    row.variant = name;
    row.is_baseline = is_baseline ? 1 : 0;
    row.label_names = label_names_;
    records::append_row(tables, row);
  }

  /// One sample a letter; `cluster` (may be empty) holds all of them.
  void samples(const std::string& split, const std::string& letters,
               const std::string& cluster = "") {
    for (const char letter : letters) {
      const auto id = "s" + std::to_string(count_);
      records::append_row(tables,
                          records::SampleRow{count_++, id, class_of(letter), split, cluster});
    }
  }

  /// One string of letters a seed, a letter a sample.
  void predictions(const std::string& variant, const std::vector<std::string>& seeds,
                   const std::string& head = "mlp", const std::string& layer = "L1",
                   const std::string& pooling = "mean") {
    std::int64_t seed = 0;
    for (const auto& letters : seeds) {
      std::string digits;
      for (const char letter : letters) digits += digit_of(letter);
      records::append_row(tables,
                          records::PredictionRow{variant, head, layer, pooling, seed++, digits});
    }
  }

  records::Tables tables;

 private:
  static std::string class_of(char letter) {
    return letter == 'A' ? "APPROVE" : letter == 'R' ? "REVISE" : "VETO";
  }
  // Place of the class among label_names_.
  char digit_of(char letter) const {
    const auto at = label_names_.find(class_of(letter));
    char digit = '0';
    for (std::size_t i = 0; i < at; ++i)
      digit = static_cast<char>(digit + (label_names_[i] == ','));
    return digit;
  }

  std::string label_names_;
  std::int64_t count_ = 0;
};

/// One string a seed from one string of votes a sample: "VVA" are the votes of three seeds.
inline std::vector<std::string> seeds_of_votes(const std::vector<std::string>& votes) {
  std::vector<std::string> seeds(votes.front().size());
  for (const auto& of_sample : votes) {
    for (std::size_t s = 0; s < seeds.size(); ++s) seeds[s] += of_sample[s];
  }
  return seeds;
}

}  // namespace moesweep::heads
