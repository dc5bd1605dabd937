// Crossfades and whole rounds in one stream: each sample is known beforehand, from wherever playing began.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "server/media/decode.hpp"
#include "server/media/resample.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

Segment whole(const fs::path& file, double crossfade_ms = 0.0, FadeCurve curve = FadeCurve::linear) {
  const auto info = probe(file);
  REQUIRE(info);
  return {.file = file,
          .sample_rate_hz = info->sample_rate_hz,
          .channels = info->channels,
          .file_frames = info->frames,
          .end = info->frames,
          .crossfade_ms = crossfade_ms,
          .crossfade_curve = curve};
}

/// `count` frames from `from` on.
std::vector<float> frames_of(const std::vector<float>& all, std::int64_t from, std::int64_t count, int channels) {
  return {all.begin() + from * channels, all.begin() + (from + count) * channels};
}

/// Onto the end of `to`, by hand: the last `overlap` frames of what is there with the first ones of `next`.
void crossfade(std::vector<float>& to, const std::vector<float>& next, std::int64_t overlap, FadeCurve curve,
               int channels) {
  const auto factor = [&](std::int64_t at) {
    const double line = static_cast<double>(at) / static_cast<double>(overlap);
    return curve == FadeCurve::linear ? line : std::sqrt(line);
  };
  const auto join = static_cast<std::int64_t>(to.size()) - overlap * channels;
  for (std::int64_t i = 0; i < overlap * channels; ++i) {
    float& sample = to[static_cast<std::size_t>(join + i)];
    sample = static_cast<float>(static_cast<double>(sample) * factor(overlap - i / channels) +
                                static_cast<double>(next[static_cast<std::size_t>(i)]) * factor(i / channels));
  }
  to.insert(to.end(), next.begin() + overlap * channels, next.end());
}

struct Files {
  TempDir dir;
  fs::path noise(const std::string& name, std::int64_t frames, int rate, std::uint32_t seed, int channels = 2) const {
    write_ints(dir / name, SF_FORMAT_WAV | SF_FORMAT_PCM_24, channels, rate, noise_ints(frames, channels, 24, seed));
    return dir / name;
  }
};

std::vector<float> play_queue(const std::vector<Segment>& segments, double rate, rt::FrameCount from,
                              std::int64_t frames, bool loop = false, std::optional<Entrance> entrance = {}) {
  auto reader = open_stream({.file = {},
                             .engine_rate_hz = rate,
                             .first_frame = from,
                             .loop = loop,
                             .segments = segments,
                             .entrance = std::move(entrance)});
  auto played = play(*reader, frames, 777);
  CHECK(reader->error().empty());
  return played;
}

}  // namespace

TEST_CASE("crossfade: the sum of two curves, and the sum of the lengths less the overlaps, to the sample") {
  Files files;
  const auto a = files.noise("a.wav", 5000, 48000, 1), b = files.noise("b.wav", 7000, 48000, 2);
  for (const FadeCurve curve : {FadeCurve::linear, FadeCurve::equal_power}) {
    // 1234 frames, 4800 frames, and 1.51 frames: 2.
    const std::vector<Segment> list{whole(a, 99.0), whole(b, 1234 / 48.0, curve), whole(a, 100.0, curve),
                                    whole(b, 1.51 / 48.0, curve)};
    std::vector<float> expected = reference(a);
    crossfade(expected, reference(b), 1234, curve, 2);
    crossfade(expected, reference(a), 4800, curve, 2);
    crossfade(expected, reference(b), 2, curve, 2);
    const QueueLayout layout(list, 48000.0, false);
    CHECK(layout.length() == 5000 + 7000 - 1234 + 5000 - 4800 + 7000 - 2);
    CHECK(layout.begins() == std::vector<rt::FrameCount>{0, 3766, 5966, 10'964});
    REQUIRE(static_cast<std::int64_t>(expected.size()) == 2 * layout.length());
    CHECK(play_queue(list, 48000.0, 0, 100'000) == expected);
    CHECK(rc::check([&] {
      const auto from = *rc::gen::inRange<std::int64_t>(0, layout.length());
      RC_ASSERT(play_queue(list, 48000.0, from, 100'000) == frames_of(expected, from, layout.length() - from, 2));
    }));
  }
}

TEST_CASE("crossfade: at its first frame the old one is whole, in its middle both halves are") {
  Files files;
  const std::vector<float> ones(1000, 0.5f), twos(1000, -0.25f);
  write_floats(files.dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48000, ones);
  write_floats(files.dir / "b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48000, twos);
  const auto linear = play_queue({whole(files.dir / "a.wav"), whole(files.dir / "b.wav", 10.0)}, 48000.0, 0, 9999);
  REQUIRE(linear.size() == 1520);
  CHECK(linear[519] == 0.5f);
  CHECK(linear[520] == 0.5f);
  CHECK(linear[520 + 120] == 0.3125f);
  CHECK(linear[520 + 240] == 0.125f);
  CHECK(linear[520 + 360] == -0.0625f);
  CHECK(linear[1000] == -0.25f);
  const auto power = play_queue({whole(files.dir / "a.wav"), whole(files.dir / "b.wav", 10.0, FadeCurve::equal_power)},
                                48000.0, 0, 9999);
  CHECK(power[520 + 120] == static_cast<float>(0.5 * std::sqrt(0.75) - 0.25 * std::sqrt(0.25)));
  CHECK(power[520 + 240] == static_cast<float>(0.25 * std::sqrt(0.5)));
}

TEST_CASE("crossfade: no longer than either item, and than what the one before has left") {
  Files files;
  const auto a = files.noise("a.wav", 1000, 48000, 1), b = files.noise("b.wav", 300, 48000, 2);
  const auto begins = [](const std::vector<Segment>& list, bool loop = false) {
    return QueueLayout(list, 48000.0, loop).begins();
  };
  using Begins = std::vector<rt::FrameCount>;
  CHECK(begins({whole(a), whole(b, 1000.0)}) == Begins{0, 700});                    // all of the one that comes in
  CHECK(begins({whole(b), whole(a, 1000.0)}) == Begins{0, 0});                      // all of the one that goes out
  CHECK(begins({whole(a), whole(b, 5.0), whole(a, 5.0)}) == Begins{0, 760, 1000});  // 240, then what is left: 60
  CHECK(begins({whole(a), whole(b, 1000.0), whole(a, 5.0)}) == Begins{0, 700, 1000});
  Segment twice = whole(b, 1000.0);
  twice.loops = 2;
  CHECK(begins({whole(a), twice, whole(a)}) == Begins{0, 400, 1000});  // all rounds of it
  // Round and round: the first one's is the last to be cut.
  CHECK(QueueLayout({whole(a, 1000.0), whole(b, 5.0)}, 48000.0, true).length() == 1000 + 300 - 240 - 60);
  CHECK(QueueLayout({whole(b, 1000.0)}, 48000.0, true).length() == 150);
  CHECK(QueueLayout({whole(a, 5.0), whole(b, 5.0)}, 48000.0, false).length() == 1060);
}

TEST_CASE("crossfade: two rates and a width of its own: each is what it is alone, and then they are added") {
  Files files;
  const auto a = files.noise("a.wav", 40'000, 44100, 1), b = files.noise("b.wav", 60'000, 48000, 2, 1),
             c = files.noise("c.wav", 100'000, 96000, 3);
  const auto alone = [&](const fs::path& file) {
    return play(*open_stream({.file = file, .engine_rate_hz = 48000.0}), 1'000'000);
  };
  std::vector<float> mono;
  for (const float sample : alone(b)) mono.insert(mono.end(), {sample, sample});
  std::vector<float> expected = alone(a);
  REQUIRE(expected.size() == 2 * 43'537);
  crossfade(expected, mono, 9600, FadeCurve::equal_power, 2);
  crossfade(expected, alone(c), 12'000, FadeCurve::linear, 2);
  crossfade(expected, alone(c), 480, FadeCurve::linear, 2);  // of one rate, too
  const std::vector<Segment> list{whole(a), whole(b, 200.0, FadeCurve::equal_power), whole(c, 250.0), whole(c, 10.0)};
  const QueueLayout layout(list, 48000.0, false);
  CHECK(layout.length() == 43'537 + 60'000 - 9600 + 50'000 - 12'000 + 50'000 - 480);
  CHECK(play_queue(list, 48000.0, 0, 1'000'000) == expected);
  CHECK(rc::check([&] {
    const auto from = *rc::gen::inRange<std::int64_t>(0, layout.length());
    RC_ASSERT(play_queue(list, 48000.0, from, 30'000) ==
              frames_of(expected, from, std::min<std::int64_t>(30'000, layout.length() - from), 2));
  }));
}

TEST_CASE("crossfade: beside the item's own fades, gain and rounds") {
  Files files;
  const auto a = files.noise("a.wav", 3000, 48000, 1);
  Segment shaped = whole(a, 10.0);
  shaped.begin = 500;
  shaped.loops = 3;
  shaped.gain = 0.5;
  shaped.fade_in = 900;
  shaped.fade_out = 700;
  const std::vector<float> alone = play_queue({shaped}, 48000.0, 0, 100'000);
  REQUIRE(alone.size() == 2 * 7500);
  std::vector<float> expected = reference(a);
  crossfade(expected, alone, 480, FadeCurve::linear, 2);
  crossfade(expected, alone, 480, FadeCurve::linear, 2);
  CHECK(play_queue({whole(a), shaped, shaped}, 48000.0, 0, 100'000) == expected);
}

TEST_CASE("a queue round and round is its items again and again, bit for bit, from anywhere, at any rate") {
  Files files;
  const auto a = files.noise("a.wav", 5000, 44100, 1), b = files.noise("b.wav", 21'000, 44100, 2),
             c = files.noise("c.wav", 9000, 48000, 3);
  for (const double rate : {44100.0, 48000.0}) {
    // Of one rate: what one file with all of it, again and again, would sound like.
    auto all = reference(a);
    const auto more = reference(b);
    all.insert(all.end(), more.begin(), more.end());
    std::vector<float> rounds;
    for (int i = 0; i < 7; ++i) rounds.insert(rounds.end(), all.begin(), all.end());
    write_floats(files.dir / "long.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2, 44100, rounds);
    const auto expected = play(*open_stream({.file = files.dir / "long.wav", .engine_rate_hz = rate}), 150'000);
    REQUIRE(expected.size() == 300'000);
    const std::vector<Segment> list{whole(a), whole(b)};
    CHECK(QueueLayout(list, rate, true).length() == scale_frames(26'000, 44100, static_cast<std::uint32_t>(rate)));
    for (const rt::FrameCount from : {0, 1, 5441, 28'299, 28'300, 77'777})
      CHECK(play_queue(list, rate, from, 150'000 - from, true) == frames_of(expected, from, 150'000 - from, 2));
    // Two rates: where the last and the first have one, a single converter hears both.
    const std::vector<Segment> mixed{whole(a), whole(c), whole(b)};
    const auto played = play_queue(mixed, rate, 0, 200'000, true);
    const QueueLayout layout(mixed, rate, true);
    CHECK(layout.period() > 0);
    CHECK(std::abs(layout.period() - layout.length()) <= 1);
    for (std::int64_t i = layout.cycle_begin(); i + layout.period() < 200'000; ++i)
      REQUIRE(played[static_cast<std::size_t>(2 * i)] == played[static_cast<std::size_t>(2 * (i + layout.period()))]);
    CHECK(rc::check([&] {
      const auto from = *rc::gen::inRange<std::int64_t>(0, 190'000);
      RC_ASSERT(play_queue(mixed, rate, from, 10'000, true) == frames_of(played, from, 10'000, 2));
    }));
  }
}

TEST_CASE("a round's end crossfades into its beginning where the first item has a crossfade") {
  Files files;
  const auto a = files.noise("a.wav", 20'000, 48000, 1), b = files.noise("b.wav", 30'000, 44100, 2);
  const auto other = play(*open_stream({.file = b}), 100'000);
  const auto length = static_cast<std::int64_t>(other.size() / 2);
  for (const int items : {1, 2}) {
    CAPTURE(items);
    std::vector<Segment> list{whole(a, 100.0, FadeCurve::equal_power)};
    if (items == 2) list.push_back(whole(b, 20.0));
    std::vector<float> expected = reference(a);
    for (int round = 0; round < 4; ++round) {
      if (items == 2) crossfade(expected, other, 960, FadeCurve::linear, 2);
      crossfade(expected, reference(a), 4800, FadeCurve::equal_power, 2);
    }
    const QueueLayout layout(list, 48000.0, true);
    CHECK(layout.period() == (items == 1 ? 20'000 - 4800 : 20'000 + length - 960 - 4800));
    CHECK(layout.length() == layout.period());
    const std::int64_t known = static_cast<std::int64_t>(expected.size() / 2) - 4800;
    CHECK(play_queue(list, 48000.0, 0, known, true) == frames_of(expected, 0, known, 2));
    CHECK(rc::check([&] {
      const auto from = *rc::gen::inRange<std::int64_t>(0, known - 9000);
      RC_ASSERT(play_queue(list, 48000.0, from, 9000, true) == frames_of(expected, from, 9000, 2));
    }));
  }
}

TEST_CASE("a round of a few frames, of two rates, of one frame") {
  Files files;
  const auto a = files.noise("a.wav", 3, 48000, 1), b = files.noise("b.wav", 5, 44100, 2);
  const auto one = files.noise("one.wav", 1, 48000, 3);
  const auto first = reference(a), other = play(*open_stream({.file = b}), 100);
  for (const auto& [list, round] :
       {std::pair{std::vector{whole(one)}, reference(one)}, {std::vector{whole(a), whole(b)}, [&] {
                                                               auto both = first;
                                                               both.insert(both.end(), other.begin(), other.end());
                                                               return both;
                                                             }()}}) {
    const auto played = play_queue(list, 48000.0, 0, 50'000, true);
    REQUIRE(played.size() == 100'000);
    for (std::size_t i = 0; i < played.size(); ++i) REQUIRE(played[i] == round[i % round.size()]);
    CHECK(play_queue(list, 48000.0, 12'345, 20'000, true) == frames_of(played, 12'345, 20'000, 2));
  }
}

TEST_CASE(
    "an entrance: the segment comes in as it did, in full or with what it came in with, and then all is as ever") {
  Files files;
  const auto a = files.noise("a.wav", 5000, 48000, 1), b = files.noise("b.wav", 7000, 48000, 2),
             c = files.noise("c.wav", 6000, 48000, 3);
  const std::vector<Segment> list{whole(a), whole(b, 50.0), whole(c, 25.0)};
  const auto expected = play_queue(list, 48000.0, 0, 100'000);
  const rt::FrameCount begin = 2600;
  // In full, from its first frame.
  std::vector<float> alone = reference(b);
  crossfade(alone, reference(c), 1200, FadeCurve::linear, 2);
  CHECK(play_queue(list, 48000.0, begin, 100'000, false, Entrance{}) == alone);
  CHECK(play_queue(list, 48000.0, begin + 300, 100'000, false, Entrance{}) ==
        frames_of(alone, 300, static_cast<std::int64_t>(alone.size() / 2) - 300, 2));
  // With another that went out before it, for longer than this queue has it: over the next one's beginning, even.
  const std::vector<Segment> after{whole(b, 1.0), whole(c, 100.0)};
  std::vector<float> out = reference(a);
  crossfade(out, reference(b), 4000, FadeCurve::linear, 2);
  const auto went_on = play_queue(after, 48000.0, 1500, 100'000, false, Entrance{4000, whole(a)});
  CHECK(frames_of(went_on, 0, 700, 2) == frames_of(out, 1000 + 1500, 700, 2));
  const auto plain = play_queue(after, 48000.0, 0, 100'000);
  CHECK(frames_of(went_on, 2500, 4000, 2) == frames_of(plain, 4000, 4000, 2));
  // Where all is as it was it changes nothing.
  CHECK(play_queue(list, 48000.0, begin + 7, 100'000, false, Entrance{2400, whole(a)}) ==
        frames_of(expected, begin + 7, static_cast<std::int64_t>(expected.size() / 2) - begin - 7, 2));
}

TEST_CASE("the table of a queue that goes round has no item behind the end of a round, however short it is") {
  Files files;
  const auto b = files.noise("b.wav", 3000, 44100, 2), c = files.noise("c.wav", 777, 48000, 3);
  const rt::PlayTable table = QueueLayout({whole(c, 0.0), whole(b, 1000.0), whole(c, 0.0)}, 8000.0, true).table();
  for (rt::FrameCount at = 0; at < 3000; ++at) {
    const rt::PlayTable::Place place = table.find(at);
    REQUIRE(table.find(place.until - 1).row == place.row);
    REQUIRE(table.find(place.until).row != place.row);
  }
}

TEST_CASE("the table of a queue says at each frame which item it is, in the first round and in the thousandth") {
  Files files;
  const auto a = files.noise("a.wav", 5000, 44100, 1), b = files.noise("b.wav", 3000, 44100, 2),
             c = files.noise("c.wav", 777, 48000, 3), tiny = files.noise("t.wav", 1, 44100, 3);
  CHECK(rc::check([&] {
    std::vector<Segment> list;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i)
      list.push_back(whole(*rc::gen::element(a, b, c, tiny), *rc::gen::element(0.0, 0.0, 3.0, 1000.0)));
    const bool loop = *rc::gen::arbitrary<bool>();
    const double rate = *rc::gen::element(48000.0, 44100.0, 8000.0);
    const QueueLayout layout(list, rate, loop);
    const rt::PlayTable table = layout.table();
    RC_ASSERT(table.goes_round() == layout.loops());
    const auto from = *rc::gen::inRange<rt::FrameCount>(0, 1'000'000);
    for (rt::FrameCount at = from; at < from + 3000; ++at) {
      const rt::PlayTable::Place place = table.find(at);
      if (!layout.loops() && at >= layout.length()) {
        RC_ASSERT(place.row == nullptr);
        break;
      }
      RC_ASSERT(place.row != nullptr);
      RC_ASSERT(place.begin <= at && at < place.until);
      RC_ASSERT(at - place.begin <= place.row->frames);
      RC_ASSERT(table.find(place.begin).row == place.row);
      RC_ASSERT(table.find(place.until - 1).row == place.row);
      RC_ASSERT(layout.run(layout.run_at(at)).begin <= place.begin);
      if (!layout.loops() && place.until < layout.length())
        RC_ASSERT(table.find(place.until).row->number > place.row->number);
    }
  }));
}
