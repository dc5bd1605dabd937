// THREAD: audio - part of level.cpp: what meters sum

constexpr std::uint32_t kStrands = 8;
// A strand a lane, so never more lanes than strands: two baseline registers, or one of the wider.
constexpr std::uint32_t kStrandWidth = kWidth < kStrands ? kWidth : kStrands;
constexpr std::uint32_t kStrandParts = kStrands / kStrandWidth;
typedef float Strands __attribute__((vector_size(4 * kStrandWidth)));
typedef std::int32_t StrandBits __attribute__((vector_size(4 * kStrandWidth)));

/// A register's worth of a run's strands. Where registers are many: the largest and the smallest sample, not the
/// largest magnitude, of which g++ 12 makes a masked move and a long wait at level v4.
class StrandColumn {
 public:
  CONTINUO_INLINE StrandColumn(const LevelRun* runs, std::uint32_t column) noexcept RT_NONBLOCKING
      : strands_(runs[column / kStrandParts].strands + column % kStrandParts * kStrandWidth),
        samples_(runs[column / kStrandParts].samples + column % kStrandParts * kStrandWidth) {
    __builtin_memcpy(&most_, strands_, sizeof(most_));
    __builtin_memcpy(&power_, strands_ + kStrands, sizeof(power_));
    least_ = -most_;
  }
  CONTINUO_INLINE void add(std::uint32_t frame) noexcept RT_NONBLOCKING {
    Strands x;
    __builtin_memcpy(&x, samples_ + frame, sizeof(x));
    if constexpr (CONTINUO_LEVEL == 1) {
      const Strands magnitude = (Strands)((StrandBits)x & 0x7fffffff);
      most_ = magnitude > most_ ? magnitude : most_;
    } else {
      most_ = x > most_ ? x : most_;
      least_ = x < least_ ? x : least_;
    }
    power_ += x * x;
  }
  CONTINUO_INLINE void keep() const noexcept RT_NONBLOCKING {
    const Strands depth = -least_;
    const Strands peak = depth > most_ ? depth : most_;
    __builtin_memcpy(strands_, &peak, sizeof(peak));
    __builtin_memcpy(strands_ + kStrands, &power_, sizeof(power_));
  }

 private:
  float* strands_;
  const float* samples_;
  Strands most_, least_, power_;
};

void levels(const LevelRun* runs, std::uint32_t count, std::uint32_t frames) noexcept RT_NONBLOCKING {
  const std::uint32_t columns = count * kStrandParts;
  std::uint32_t done = 0;
  // Four side by side: what is added to a sum waits for the one before, the others do not.
  for (; done + 4 <= columns; done += 4) {
    StrandColumn a(runs, done), b(runs, done + 1), c(runs, done + 2), d(runs, done + 3);
    for (std::uint32_t i = 0; i < frames; i += kStrands) {
      a.add(i);
      b.add(i);
      c.add(i);
      d.add(i);
    }
    a.keep();
    b.keep();
    c.keep();
    d.keep();
  }
  for (; done < columns; ++done) {
    StrandColumn column(runs, done);
    for (std::uint32_t i = 0; i < frames; i += kStrands) column.add(i);
    column.keep();
  }
}
