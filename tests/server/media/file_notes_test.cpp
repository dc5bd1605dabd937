// What probing tells beside the sound, and that every format of the list opens, tells its length and plays.
#include "server/media/file_notes.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include "server/media/decode.hpp"
#include "tests/server/media/media_test.hpp"

namespace continuo::media {
namespace {

using test::TempDir;

TEST_CASE("bext and cues with their labels, of WAV and RF64, as libsndfile writes them") {
  const TempDir dir;
  for (const int container : {SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64}) {
    CAPTURE(container);
    const auto file = dir / "a.wav";
    SNDFILE* out = test::open_for_writing(file, container | SF_FORMAT_PCM_24, 2, 48000);
    SF_BROADCAST_INFO bext{};
    std::strcpy(bext.description, "A description");
    std::strcpy(bext.originator, "Continuo");
    std::memcpy(bext.origination_date, "2026-11-21", 10);
    std::memcpy(bext.origination_time, "12:34:56", 8);
    bext.time_reference_low = 7;
    bext.time_reference_high = 1;
    CHECK(sf_command(out, SFC_SET_BROADCAST_INFO, &bext, sizeof bext) == SF_TRUE);
    const std::vector<int> samples = test::noise_ints(1000, 2, 24);
    CHECK(sf_writef_int(out, samples.data(), 1000) == 1000);
    sf_close(out);
    const FileNotes notes = read_notes(file);
    REQUIRE(notes.broadcast);
    CHECK(notes.broadcast->description == "A description");
    CHECK(notes.broadcast->originator == "Continuo");
    CHECK(notes.broadcast->date == "2026-11-21");
    CHECK(notes.broadcast->time == "12:34:56");
    CHECK(notes.broadcast->time_reference == (1ull << 32) + 7);
    CHECK_FALSE(notes.bw64);
  }
}

/// A WAV by hand: `chunks` after the sound.
std::string wav(const std::string& kind, const std::string& chunks) {
  const auto number = [](std::uint64_t value, int bytes = 4) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  const bool wide = kind != "RIFF";
  std::string body = "WAVE";
  if (wide)
    body += "ds64" + number(28) + number(0, 8) + number(200, 4) + number(0) + number(100) + number(0) + number(0);
  body +=
      "fmt " + number(16) + number(1, 2) + number(1, 2) + number(48000) + number(96000) + number(2, 2) + number(16, 2);
  body += "data" + (wide ? number(0xffffffff) : number(200)) + std::string(200, '\0') + chunks;
  return kind + number(wide ? 0xffffffffu : static_cast<std::uint32_t>(body.size())) + body;
}

std::string chunk(const std::string& id, const std::string& content) {
  std::string text = id;
  for (int i = 0; i < 4; ++i) text += static_cast<char>(content.size() >> (8 * i));
  return text + content + std::string(content.size() % 2, '\0');
}

std::string u32(std::uint32_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
          static_cast<char>(value >> 24)};
}
std::string cue(std::uint32_t id, std::uint32_t frame) {
  return u32(id) + u32(frame) + "data" + u32(0) + u32(0) + u32(frame);
}

TEST_CASE("cue points behind the sound, with labels, in the order of their frames: WAV, RF64, BW64") {
  const TempDir dir;
  const std::string chunks =
      chunk("cue ", u32(3) + cue(1, 90) + cue(2, 10) + cue(3, 50)) +
      chunk("LIST", "adtl" + chunk("labl", u32(1) + std::string("end") + '\0') + chunk("note", u32(1) + "x") +
                        chunk("labl", u32(2) + std::string("b\xff\n") + '\0'));
  for (const char* kind : {"RIFF", "RF64", "BW64"}) {
    CAPTURE(kind);
    std::ofstream(dir / "a.wav", std::ios::binary) << wav(kind, chunks);
    const FileNotes notes = read_notes(dir / "a.wav");
    REQUIRE(notes.marks.size() == 3);
    CHECK(notes.marks[0].frame == 10);
    CHECK(notes.marks[0].label == "b??");
    CHECK(notes.marks[1].frame == 50);
    CHECK(notes.marks[1].label.empty());
    CHECK(notes.marks[2].frame == 90);
    CHECK(notes.marks[2].label == "end");
    CHECK(notes.bw64 == (std::string(kind) == "BW64"));
    const auto info = probe(dir / "a.wav");
    REQUIRE(info);
    CHECK(info->frames == 100);
  }
}

TEST_CASE("more cue points than are told, and damage at any byte, are no danger") {
  const TempDir dir;
  std::string cues = u32(5000);
  for (std::uint32_t i = 0; i < 5000; ++i) cues += cue(i, i);
  std::ofstream(dir / "a.wav", std::ios::binary) << wav("RIFF", chunk("cue ", cues));
  CHECK(read_notes(dir / "a.wav").marks.size() == kMaxNotedMarks);
  const std::string small =
      wav("RF64", chunk("bext", std::string(602, 'x')) + chunk("cue ", u32(2) + cue(1, 5) + cue(2, 6)));
  test::Random random(3);
  for (std::size_t at = 0; at < small.size(); ++at) {
    std::string damaged = small;
    damaged[at] = static_cast<char>(random.next() >> 24);
    std::ofstream(dir / "b.wav", std::ios::binary) << damaged;
    CHECK(read_notes(dir / "b.wav").marks.size() <= kMaxNotedMarks);
    std::ofstream(dir / "c.wav", std::ios::binary) << small.substr(0, at);
    CHECK(read_notes(dir / "c.wav").marks.size() <= 2);
  }
  CHECK(read_notes(dir / "none.wav").marks.empty());
}

TEST_CASE("every format opens, tells its channels and its exact length, and gives as many frames") {
  const TempDir dir;
  struct Format {
    const char* name;
    int format;
    int most;  // channels
    const char* container;
  };
  const Format formats[] = {{"WAV", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 64, "WAV"},
                            {"WAVEX", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 64, "WAV"},
                            {"RF64", SF_FORMAT_RF64 | SF_FORMAT_FLOAT, 64, "RF64"},
                            {"W64", SF_FORMAT_W64 | SF_FORMAT_PCM_24, 64, "W64"},
                            {"AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 64, "AIFF"},
                            {"FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 8, "FLAC"},
                            {"Vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 64, "Ogg"},
                            {"Opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 8, "Ogg"},
                            {"MP3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 2, "MP3"}};
  for (const Format& f : formats) {
    for (const int channels : {1, 2, 8, 64}) {
      if (channels > f.most) continue;
      for (const std::int64_t frames : {48'000, 12'347}) {
        CAPTURE(f.name);
        CAPTURE(channels);
        CAPTURE(frames);
        const auto file = dir / "x";
        test::write_floats(file, f.format, channels, 48000, test::sine(frames, channels, 440.0, 48000.0));
        const auto info = probe(file);
        REQUIRE_MESSAGE(info, (info ? "" : info.error().message));
        CHECK(info->container == f.container);
        CHECK(info->channels == static_cast<std::uint32_t>(channels));
        CHECK(info->sample_rate_hz == 48000);
        CHECK(info->frames == frames);
        StreamRequest request;
        request.file = file;
        const auto stream = test::open_stream(request);
        CHECK(static_cast<std::int64_t>(test::play(*stream, frames + 100'000).size()) >= frames * channels);
        CHECK(stream->error().empty());
      }
    }
  }
}

TEST_CASE("BW64 is RF64 by another name") {
  const TempDir dir;
  const auto file = dir / "a.wav";
  test::write_ints(file, SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 16, 96000, test::noise_ints(5000, 16, 24));
  {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.write("BW64", 4);
  }
  const auto info = probe(file);
  REQUIRE(info);
  CHECK(info->frames == 5000);
  CHECK(info->channels == 16);
  CHECK(read_notes(file).bw64);
}

}  // namespace
}  // namespace continuo::media
