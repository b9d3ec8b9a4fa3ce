// Words of 32 bits to and from the ports of a Verilated model, whatever their width.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "verilated.h"

namespace {

template <std::size_t N>
void store(VlWide<N>& port, const std::uint32_t* word) {
  std::memcpy(port.data(), word, N * sizeof(std::uint32_t));
}
template <typename T>
void store(T& port, const std::uint32_t* word) {
  std::uint64_t value = word[0];
  if (sizeof(T) > 4) value |= std::uint64_t(word[1]) << 32;
  port = static_cast<T>(value);
}
template <std::size_t N>
void load(const VlWide<N>& port, std::uint32_t* word) {
  std::memcpy(word, port.data(), N * sizeof(std::uint32_t));
}
template <typename T>
void load(const T& port, std::uint32_t* word) {
  word[0] = static_cast<std::uint32_t>(port);
  if (sizeof(T) > 4) word[1] = static_cast<std::uint32_t>(std::uint64_t(port) >> 32);
}

}  // namespace
