// One block of samples as a frame of FLAC.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <utility>

#include "server/base/check.hpp"
#include "server/media/flac_codes.hpp"
#include "server/media/flac_format.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kOrders = 5;          // fixed predictors of order 0 to 4
constexpr std::uint32_t kMaxPartition = 5;  // 2^5 parts of a block, each with a Rice parameter of its own
constexpr std::uint32_t kMaxRice = 30;

class Bits {
 public:
  explicit Bits(std::vector<std::byte>& out) : out_(out) {}
  /// The lower `count` bits, 0 to 32.
  void put(std::uint32_t value, std::uint32_t count) {
    held_ = held_ << count | (count == 0 ? 0 : value & (0xFFFFFFFFu >> (32 - count)));
    bits_ += count;
    while (bits_ >= 8) {
      bits_ -= 8;
      out_.push_back(static_cast<std::byte>(held_ >> bits_));
    }
  }
  void zeros(std::uint32_t count) {
    for (; count > 32; count -= 32) put(0, 32);
    put(0, count);
  }
  void to_byte() { put(0, (8 - bits_ % 8) % 8); }

 private:
  std::vector<std::byte>& out_;
  std::uint64_t held_ = 0;
  std::uint32_t bits_ = 0;
};

/// Frame and sample numbers: as UTF-8, of up to seven bytes.
void put_number(Bits& to, std::uint64_t number) {
  if (number < 0x80) return to.put(static_cast<std::uint32_t>(number), 8);
  std::uint32_t more = 1;
  while (more < 6 && number >> (6 * more + 6 - more) != 0) ++more;
  const std::uint32_t lead = 0xFF00u >> (more + 1) & 0xFFu;
  to.put(lead | static_cast<std::uint32_t>(number >> (6 * more)), 8);
  while (more-- > 0) to.put(0x80u | static_cast<std::uint32_t>(number >> (6 * more) & 0x3Fu), 8);
}

using Samples = std::span<const std::int32_t>;

/// Sums of the absolute residuals of every order; the first four frames are left out, as they cost the same for all.
std::array<std::uint64_t, kOrders> residual_sums(Samples x) {
  std::array<std::uint64_t, kOrders> sums{};
  for (std::size_t i = kOrders - 1; i < x.size(); ++i) {
    const std::int32_t e0 = x[i], e1 = e0 - x[i - 1];
    const std::int32_t e2 = e1 - (x[i - 1] - x[i - 2]);
    const std::int32_t e3 = e2 - (x[i - 1] - 2 * x[i - 2] + x[i - 3]);
    const std::int32_t e4 = e3 - (x[i - 1] - 3 * x[i - 2] + 3 * x[i - 3] - x[i - 4]);
    sums[0] += static_cast<std::uint32_t>(std::abs(e0));
    sums[1] += static_cast<std::uint32_t>(std::abs(e1));
    sums[2] += static_cast<std::uint32_t>(std::abs(e2));
    sums[3] += static_cast<std::uint32_t>(std::abs(e3));
    sums[4] += static_cast<std::uint32_t>(std::abs(e4));
  }
  return sums;
}
std::size_t best_order(Samples x, std::uint64_t& sum) {
  if (x.size() < kOrders) {
    sum = 0;
    return 0;
  }
  const auto sums = residual_sums(x);
  const auto best = std::ranges::min_element(sums);
  sum = *best;
  return static_cast<std::size_t>(best - sums.begin());
}

/// Residuals, folded so that small ones of either sign are small.
void fold_residuals(Samples x, std::size_t order, std::vector<std::uint32_t>& out) {
  out.clear();
  for (std::size_t i = order; i < x.size(); ++i) {
    std::int32_t e = x[i];
    if (order == 1) e -= x[i - 1];
    if (order == 2) e += -2 * x[i - 1] + x[i - 2];
    if (order == 3) e += -3 * x[i - 1] + 3 * x[i - 2] - x[i - 3];
    if (order == 4) e += -4 * x[i - 1] + 6 * x[i - 2] - 4 * x[i - 3] + x[i - 4];
    out.push_back(static_cast<std::uint32_t>(e) << 1u ^ static_cast<std::uint32_t>(e >> 31));
  }
}

struct Rice {
  std::uint32_t partition = 0;  // 2^this parts
  std::array<std::uint32_t, 1u << kMaxPartition> parameters{};
  std::uint64_t bits = 0;
};
/// The parameter, and the bits at most that `count` residuals of that sum take.
std::pair<std::uint32_t, std::uint64_t> rice_of(std::uint64_t sum, std::uint64_t count) {
  std::uint32_t k = 0;
  while (k < kMaxRice && count << (k + 1) <= sum) ++k;
  return {k, count * (k + 1) + (sum >> k)};
}
/// What a channel will take, about.
std::uint64_t bits_for(Samples x, std::uint32_t bits) {
  std::uint64_t sum = 0;
  best_order(x, sum);
  return std::min(rice_of(2 * sum, x.size()).second, std::uint64_t{bits} * x.size());
}
Rice choose_rice(std::span<const std::uint32_t> residuals, std::size_t block, std::size_t order) {
  std::uint32_t most = 0;
  while (most < kMaxPartition && block % (std::size_t{2} << most) == 0 && (block >> (most + 1)) > order) ++most;
  std::array<std::uint64_t, 1u << kMaxPartition> sums{};
  std::size_t at = 0;
  for (std::size_t p = 0; p < std::size_t{1} << most; ++p) {
    const std::size_t end = (block >> most) * (p + 1) - order;
    for (; at < end; ++at) sums[p] += residuals[at];
  }
  Rice best;
  for (std::uint32_t partition = most;; --partition) {
    Rice rice{partition, {}, 6};
    for (std::size_t p = 0; p < std::size_t{1} << partition; ++p) {
      const auto [k, bits] = rice_of(sums[p], (block >> partition) - (p == 0 ? order : 0));
      rice.parameters[p] = k;
      rice.bits += bits + 5;
    }
    if (partition == most || rice.bits < best.bits) best = rice;
    if (partition == 0) return best;
    for (std::size_t p = 0; p < std::size_t{1} << (partition - 1); ++p) sums[p] = sums[2 * p] + sums[2 * p + 1];
  }
}

void put_residuals(Bits& to, std::span<const std::uint32_t> residuals, std::size_t block, std::size_t order,
                   const Rice& rice) {
  const auto parts = std::size_t{1} << rice.partition;
  const bool wide = std::any_of(rice.parameters.begin(), rice.parameters.begin() + static_cast<std::ptrdiff_t>(parts),
                                [](std::uint32_t k) { return k > 14; });
  to.put(wide ? 1 : 0, 2);
  to.put(rice.partition, 4);
  std::size_t at = 0;
  for (std::size_t p = 0; p < parts; ++p) {
    const std::uint32_t k = rice.parameters[p];
    to.put(k, wide ? 5 : 4);
    for (const std::size_t end = (block >> rice.partition) * (p + 1) - order; at < end; ++at) {
      to.zeros(residuals[at] >> k);
      to.put(1, 1);
      to.put(residuals[at], k);
    }
  }
}

void put_subframe(Bits& to, Samples x, std::uint32_t bits, std::vector<std::int32_t>& shifted,
                  std::vector<std::uint32_t>& residuals) {
  if (std::ranges::all_of(x, [&](std::int32_t s) { return s == x[0]; })) {
    to.put(0, 8);
    return to.put(static_cast<std::uint32_t>(x[0]), bits);
  }
  std::uint32_t all = 0;
  for (const std::int32_t s : x) all |= static_cast<std::uint32_t>(s);
  // 16-bit sound in a 24-bit take: what is zero in every sample is not written.
  const auto wasted = static_cast<std::uint32_t>(std::countr_zero(all));
  if (wasted > 0) {
    shifted.assign(x.begin(), x.end());
    for (std::int32_t& s : shifted) s >>= wasted;
    x = shifted;
    bits -= wasted;
  }
  const auto put_kind = [&](std::uint32_t kind) {
    to.put(kind, 7);
    to.put(wasted > 0 ? 1 : 0, 1);
    if (wasted > 0) {
      to.zeros(wasted - 1);
      to.put(1, 1);
    }
  };
  std::uint64_t sum = 0;
  const std::size_t order = best_order(x, sum);
  fold_residuals(x, order, residuals);
  const Rice rice = choose_rice(residuals, x.size(), order);
  if (rice.bits + order * bits >= std::uint64_t{bits} * x.size()) {
    put_kind(1);
    for (const std::int32_t s : x) to.put(static_cast<std::uint32_t>(s), bits);
    return;
  }
  put_kind(8 + static_cast<std::uint32_t>(order));
  for (std::size_t i = 0; i < order; ++i) to.put(static_cast<std::uint32_t>(x[i]), bits);
  put_residuals(to, residuals, x.size(), order, rice);
}

}  // namespace

FlacEncoder::FlacEncoder(const FlacFormat& format) : format_(format), channels_(format.channels) {}

void FlacEncoder::encode(std::uint64_t number, std::span<const std::int32_t> samples, std::vector<std::byte>& out) {
  const std::size_t frames = samples.size() / format_.channels;
  CONTINUO_CHECK(frames > 0 && frames <= format_.block, "a block is at most of its size");
  for (std::uint32_t c = 0; c < format_.channels; ++c) {
    channels_[c].resize(frames);
    for (std::size_t i = 0; i < frames; ++i) channels_[c][i] = samples[i * format_.channels + c];
  }
  constexpr std::uint32_t kLeftSide = 8, kSideRight = 9, kMidSide = 10;
  std::uint32_t assignment = format_.channels - 1;
  if (format_.channels == 2) {
    mid_.resize(frames);
    side_.resize(frames);
    for (std::size_t i = 0; i < frames; ++i) {
      mid_[i] = (channels_[0][i] + channels_[1][i]) >> 1;
      side_[i] = channels_[0][i] - channels_[1][i];
    }
    const std::uint64_t left = bits_for(channels_[0], format_.bits), right = bits_for(channels_[1], format_.bits);
    const std::uint64_t mid = bits_for(mid_, format_.bits), side = bits_for(side_, format_.bits + 1);
    std::uint64_t best = left + right;
    const auto take_if_less = [&](std::uint64_t bits, std::uint32_t code) {
      if (bits < best) assignment = code;
      best = std::min(best, bits);
    };
    take_if_less(left + side, kLeftSide);
    take_if_less(side + right, kSideRight);
    take_if_less(mid + side, kMidSide);
  }

  const std::size_t from = out.size();
  Bits bits(out);
  const auto known = std::ranges::find(flac::kBlocks, static_cast<std::uint32_t>(frames), &flac::Block::frames);
  const std::uint32_t block_code = known == flac::kBlocks.end() ? 7 : known->code;
  bits.put(0xFFF8, 16);
  bits.put(block_code, 4);
  bits.put(flac::rate_code(format_.sample_rate_hz), 4);
  bits.put(assignment, 4);
  bits.put(flac::bits_code(format_.bits), 3);
  bits.put(0, 1);
  put_number(bits, number);
  if (block_code == 7) bits.put(static_cast<std::uint32_t>(frames - 1), 16);
  bits.put(flac::crc8(std::span(out).subspan(from)), 8);
  std::vector<std::int32_t> shifted;
  std::vector<std::uint32_t> residuals;
  for (std::uint32_t c = 0; c < format_.channels; ++c) {
    const bool is_side =
        (c == 0 && assignment == kSideRight) || (c == 1 && (assignment == kLeftSide || assignment == kMidSide));
    const bool is_mid = c == 0 && assignment == kMidSide;
    put_subframe(bits,
                 is_side  ? side_
                 : is_mid ? mid_
                          : channels_[c],
                 format_.bits + (is_side ? 1 : 0), shifted, residuals);
  }
  bits.to_byte();
  bits.put(flac_crc16(std::span(out).subspan(from)), 16);
}

}  // namespace continuo::media
