// THREAD: any - SHA-256 of bytes that come piece by piece
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace continuo::cli {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  /// 64 hexadecimal digits, lower case. Once, at the end.
  [[nodiscard]] std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::cli
