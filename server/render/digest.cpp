#include "server/render/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>

#include "server/base/check.hpp"

namespace continuo::render {

struct Sha256::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  CONTINUO_CHECK(impl_->context && EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1,
                 "libcrypto always has SHA-256");
}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  CONTINUO_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1, "memory cannot fail");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CONTINUO_CHECK(EVP_DigestFinal_ex(impl_->context.get(), digest, &size) == 1, "asked for once");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
  return text;
}

void Checksums::add(std::span<const float> samples) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ull;
  const std::int64_t full = kFrames * channels_;
  while (!samples.empty()) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(full - filled_, std::ssize(samples)));
    for (const float sample : samples.first(n))
      current_ = std::rotl((current_ ^ std::bit_cast<std::uint32_t>(sample)) * kMultiplier, 29);
    samples = samples.subspan(n);
    filled_ += static_cast<std::int64_t>(n);
    if (filled_ < full) return;
    done_.push_back(current_);
    filled_ = 0;
    current_ = 0;
  }
}

std::vector<std::uint64_t> Checksums::all() const {
  std::vector<std::uint64_t> sums = done_;
  if (filled_ > 0) sums.push_back(current_);
  return sums;
}

}  // namespace continuo::render
