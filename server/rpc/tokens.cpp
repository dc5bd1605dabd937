#include "server/rpc/tokens.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "server/base/log.hpp"
#include "server/rpc/access.hpp"

namespace continuo::rpc {
namespace {

constexpr std::size_t kHexBytes = 2 * SHA256_DIGEST_LENGTH;

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

void Tokens::look() {
  const auto now = std::chrono::steady_clock::now();
  if (looked_ != std::chrono::steady_clock::time_point{} && now - looked_ < kLookEvery) return;
  looked_ = now;
  struct stat status{};
  const bool there = stat(file_.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  if (there && same_file(status, seen_)) return;
  seen_ = status;
  lines_.clear();
  if (!there || static_cast<std::size_t>(status.st_size) > kMaxFileBytes) {
    log::warning("access.token_file: cannot read {}: nobody gets in with a token", file_.string());
    return;
  }
  std::ifstream stream(file_);
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    text.erase(std::min(text.find('#'), text.size()));
    std::istringstream words(text);
    std::string name;
    std::string role;
    std::string hash;
    std::string more;
    if (!(words >> name)) continue;
    words >> role >> hash;
    const bool hex = hash.size() == kHexBytes && hash.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hex || role_of(role) == v1::ROLE_UNSPECIFIED || words >> more) {
      log::warning("{}:{}: not NAME ROLE SHA256; it lets nobody in", file_.string(), number);
      continue;
    }
    lines_.push_back({hash, {"token " + name, role_of(role), "", false}});
  }
}

Result<Caller> Tokens::find(std::string_view secret) {
  const std::string hash = sha256_hex(secret);
  const std::lock_guard lock(mutex_);
  look();
  for (const Line& line : lines_) {
    if (CRYPTO_memcmp(line.hash.data(), hash.data(), kHexBytes) == 0) return line.caller;
  }
  return make_error(ErrorKind::unauthenticated, "TOKEN", "authorization", "this token is none that the daemon knows");
}

}  // namespace continuo::rpc
