#include "clients/cli/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace continuo::cli {

struct Sha256::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

namespace {

void check(bool good) {
  if (!good) throw std::runtime_error("libcrypto computes no SHA-256");
}

}  // namespace

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  check(impl_->context && EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  check(EVP_DigestFinal_ex(impl_->context.get(), digest, &size) == 1);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
  return text;
}

}  // namespace continuo::cli
