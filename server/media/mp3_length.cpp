#include "server/media/mp3_length.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace continuo::media {
namespace {

constexpr int kMostTags = 16;  // ID3v2 tags in front of the sound; more is no file that anybody wrote

/// Behind the ID3v2 tags (id3.org, ID3v2.4, 3.1: four bytes of seven bits, and 10 for the header).
std::int64_t sound_begins(BlockFile& file) {
  std::int64_t at = 0;
  std::array<char, 10> head{};
  for (int i = 0; i < kMostTags; ++i) {
    if (file.read_at(at, head.data(), head.size()) < head.size() || std::string_view(head.data(), 3) != "ID3") break;
    std::int64_t bytes = 0;
    for (std::size_t k = 6; k < 10; ++k) bytes = bytes << 7 | (static_cast<std::uint8_t>(head[k]) & 0x7F);
    at += static_cast<std::int64_t>(head.size()) + bytes;
  }
  return at;
}

}  // namespace

bool mp3_says_its_length(BlockFile& file) {
  std::array<char, 4096> front{};  // the first frame, and padding that some taggers leave before it
  const std::string_view found(front.data(), file.read_at(sound_begins(file), front.data(), front.size()));
  for (const char* tag : {"Xing", "Info", "VBRI"})
    if (found.find(tag) != std::string_view::npos) return true;
  return false;
}

}  // namespace continuo::media
