// THREAD: audio - part of level.cpp: a file's integers to floats

typedef std::int8_t VB __attribute__((vector_size(4 * kWidth)));

/// Three bytes a sample become the upper three of a word; what its lowest then holds is masked away.
CONTINUO_INLINE V from_packed_24(const unsigned char* bytes) noexcept RT_NONBLOCKING {
#if CONTINUO_LEVEL == 4
  VI words;
  __builtin_memcpy(&words, bytes, sizeof(words));
  words = __builtin_shufflevector(words, words, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
  const VB b = (VB)words;
  const VB spread =
      __builtin_shufflevector(b, b, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 16, 16, 17, 18, 19, 19, 20, 21,
                              22, 22, 23, 24, 25, 25, 26, 27, 32, 32, 33, 34, 35, 35, 36, 37, 38, 38, 39, 40, 41, 41,
                              42, 43, 48, 48, 49, 50, 51, 51, 52, 53, 54, 54, 55, 56, 57, 57, 58, 59);
#elif CONTINUO_LEVEL == 3
  VI words;
  __builtin_memcpy(&words, bytes, sizeof(words));
  words = __builtin_shufflevector(words, words, 0, 1, 2, 2, 3, 4, 5, 5);
  const VB b = (VB)words;
  const VB spread = __builtin_shufflevector(b, b, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 16, 16, 17, 18, 19,
                                            19, 20, 21, 22, 22, 23, 24, 25, 25, 26, 27);
#else
  VI spread;
  for (std::uint32_t k = 0; k < kWidth; ++k) {
    std::int32_t word;
    __builtin_memcpy(&word, bytes + 3 * k, sizeof(word));
    spread[k] = word << 8;
  }
#endif
  return __builtin_convertvector((VI)spread & -256, V) * 0x1p-31f;
}

void pcm24(float* out, const void* bytes, std::uint32_t samples) noexcept RT_NONBLOCKING {
  const unsigned char* from = static_cast<const unsigned char*>(bytes);
  std::uint32_t i = 0;
  // A register is filled whole: with bytes of the samples that follow.
  for (; i + (4 * kWidth + 2) / 3 <= samples; i += kWidth) store(out + i, from_packed_24(from + 3 * i));
  for (; i < samples; ++i) {
    std::uint32_t word = 0;
    __builtin_memcpy(&word, from + 3 * i, 3);
    out[i] = static_cast<float>(static_cast<std::int32_t>(word << 8)) * 0x1p-31f;
  }
}
