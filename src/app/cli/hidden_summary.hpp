#pragma once

#include <moesweep/core/records/table.hpp>

namespace moesweep::cli {

/// What a sweep over hidden states says: verdicts, ensembles, suppression, probes; the parts that
/// the tables have.
void print_hidden_summary(const records::Tables& tables);

}  // namespace moesweep::cli
