#pragma once
// One function of several, for std::visit.

namespace moesweep::config {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace moesweep::config
