#include "tests/server/session/reference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rt/dsp/math.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "server/session/expand.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session::test {
namespace {

using Channel = std::vector<float>;

class Evaluation {
 public:
  Evaluation(const Document& document, const EngineShape& shape, const MediaTable& media, std::uint32_t frames)
      : document_(document), shape_(shape), media_(media), frames_(frames), audible_(audible_map(document)) {
    for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
      const std::size_t slash = path.rfind('/');
      const bool in_chain =
          slash != std::string::npos && find_node(document, path.substr(0, slash))->type != "container";
      if (!in_chain && node.type != "container") unit(path);
    });
  }
  Reference result;

 private:
  struct Outputs {
    Sound out, pre;
  };

  const Outputs& unit(const std::string& path) {
    if (const auto found = done_.find(path); found != done_.end()) return found->second;
    const DocNode& node = *find_node(document_, path);
    Outputs outputs;
    if (node.type == "in") {
      for (std::uint32_t c = 0; c < shape_.in_channels; ++c)
        outputs.out.push_back(made([&](rt::FrameCount f) { return test_sample("in", c, f); }));
    } else if (node.type == "out") {
      result.out = inbound(path, 2, 128);
    } else if (node.type == "track" || node.type == "bus") {
      Sound sound = chain(node, path);
      outputs.pre = sound;
      std::vector<rt::Param> params(rt::FaderParam::count);
      params[rt::FaderParam::gain_db] = rt::Param(number_of(node, "gain_db"));
      params[rt::FaderParam::pan] = rt::Param(number_of(node, "pan"));
      params[rt::FaderParam::audible] = rt::Param(audible_.at(node.uid));
      params[rt::FaderParam::inverted] = rt::Param(number_of(node, "invert_polarity"));
      outputs.out = run(rt::fader_kind(), params, sound, sound.size() == 1 ? 2 : sound.size());
    } else {
      Sound sound;
      if (find_type(node.type)->role != TypeRole::source) sound = inbound(path, 1, 64);
      outputs.out = step(node, path, sound);
    }
    return done_[path] = outputs;
  }

  Sound chain(const DocNode& node, const std::string& path) {
    const auto fixed = static_cast<std::uint32_t>(number_of(node, "channels"));
    Sound sound = fixed != 0 ? inbound(path, fixed, fixed) : inbound(path, node.type == "bus" ? 2 : 0, 64);
    for (const DocNode& child : node.children) {
      const std::string child_path = path + "/" + child.id;
      if (find_type(child.type)->role == TypeRole::source) {
        const Sound added = step(child, child_path, {});
        const std::size_t width = std::max(sound.size(), added.size());
        Sound sum;
        for (std::size_t c = 0; c < width; ++c) {
          std::vector<const Channel*> parts;
          if (c < sound.size()) parts.push_back(&sound[c]);
          if (c < added.size()) parts.push_back(&added[c]);
          sum.push_back(mix(parts));
        }
        sound = sum;
        continue;
      }
      if (sound.empty()) sound = silence(1);
      sound = step(child, child_path, sound);
    }
    if (sound.empty()) sound = silence(1);
    return sound;
  }

  // One node that is no track: what it makes of what comes in.
  Sound step(const DocNode& node, const std::string& path, const Sound& in) {
    if (node.type == "gain") {
      Sound out = in;
      const float factor = rt::dsp::db_to_gain(number_of(node, "gain_db"));
      for (Channel& channel : out) scale(channel, factor);
      return out;
    }
    if (node.type == "pan")
      return run(rt::pan_kind(), {rt::Param(number_of(node, "pan"))}, in, in.size() == 1 ? 2 : in.size());
    if (node.type == "recorder") result.recorded[path] = in;
    if (node.type == "recorder" || node.type == "meter") return in;
    if (node.type == "noise") {
      const std::vector<rt::Param> params{rt::Param(number_of(node, "gain_db"))};
      return run(rt::noise_kind(), params, {}, static_cast<std::size_t>(number_of(node, "channels")),
                 stable_hash(path) & kDeviceOutUid);
    }
    REQUIRE(node.type == "player");
    const std::string file = text_of(node, "file");
    const auto facts = media_.find(file);
    if (facts == media_.end()) return silence(1);
    const auto start = static_cast<rt::FrameCount>(std::llround(number_of(node, "start_s") * shape_.sample_rate_hz));
    const float factor = rt::dsp::db_to_gain(number_of(node, "gain_db"));
    Sound out;
    for (std::uint32_t c = 0; c < facts->second.channels; ++c) {
      out.push_back(made([&](rt::FrameCount f) { return f < start ? 0.0f : test_sample(file, c, f - start); }));
      scale(out.back(), factor);
    }
    return out;
  }

  Sound inbound(const std::string& path, std::uint32_t least, std::uint32_t most) {
    struct Part {
      Channel samples;
      std::uint32_t to;
    };
    std::vector<Part> parts;
    std::uint32_t width = least;
    for (const DocConnection& connection : document_.connections) {
      if (connection.to.path != path) continue;
      const Outputs& outputs = unit(connection.from.path);
      Sound from = connection.from.port == "pre" ? outputs.pre : outputs.out;
      if (connection.from.channel != 0) {
        const std::uint32_t channel = connection.from.channel - 1;
        from = channel < from.size() ? Sound{from[channel]} : silence(1);
      }
      const std::uint32_t base = connection.to.channel == 0 ? 0 : connection.to.channel - 1;
      auto pairs = connection.channels;
      for (std::uint32_t c = 1; connection.channels.empty() && c <= from.size(); ++c) pairs.emplace_back(c, c);
      for (const auto& [source, to] : pairs) {
        if (most == 128 || most == 64) width = std::max(width, std::min(base + to, most));
        if (source > from.size()) continue;
        Part part{from[source - 1], base + to - 1};
        scale(part.samples, rt::dsp::db_to_gain(connection.gain_db));
        parts.push_back(std::move(part));
      }
    }
    Sound sum;
    for (std::uint32_t c = 0; c < width; ++c) {
      std::vector<const Channel*> inputs;
      for (const Part& part : parts) {
        if (part.to == c) inputs.push_back(&part.samples);
      }
      sum.push_back(mix(inputs));
    }
    return sum;
  }

  [[nodiscard]] Channel mix(const std::vector<const Channel*>& inputs) const {
    Channel sum(frames_, 0.0f);
    for (std::size_t i = 0; i < frames_ && !inputs.empty(); ++i) {
      float total = 0.0f;
      for (std::size_t leaf = 0; leaf < inputs.size(); leaf += 16) {
        float part = (*inputs[leaf])[i];
        for (std::size_t k = leaf + 1; k < std::min(leaf + 16, inputs.size()); ++k) part += (*inputs[k])[i];
        total = leaf == 0 ? part : total + part;
      }
      sum[i] = total;
    }
    return sum;
  }

  static void scale(Channel& channel, float factor) {
    for (float& sample : channel) sample = factor == 0.0f ? 0.0f : sample * factor;
  }

  [[nodiscard]] Sound silence(std::size_t channels) const { return Sound(channels, Channel(frames_, 0.0f)); }

  template <class Sample>
  [[nodiscard]] Channel made(Sample&& sample) const {
    Channel channel;
    for (std::uint32_t i = 0; i < frames_; ++i) channel.push_back(sample(i));
    return channel;
  }

  // A kind by itself: one member, buffers of its own, 64 frames at a time.
  [[nodiscard]] Sound run(const rt::NodeKind& kind, const std::vector<rt::Param>& params, const Sound& in,
                          std::size_t out_count, rt::Uid uid = 0) const {
    rt::Node node(kind, uid, params.size());
    node.params = params;
    Sound out(out_count, Channel(frames_));
    const std::size_t lanes = (std::max(in.size(), out_count) + 15) / 16 * 16;
    const rt::AlignedFloats rows = rt::make_aligned_floats(kind.row_count(0) * lanes);
    const rt::AlignedFloats tile = rt::make_aligned_floats(2 * rt::dsp::kTileFloats);
    rt::Counters counters;
    for (std::uint32_t done = 0; done < frames_; done += rt::kBlockFrames) {
      std::vector<std::array<float, rt::kBlockFrames>> in_buffers(in.size()), out_buffers(out_count);
      std::vector<const float*> ins;
      std::vector<float*> outs;
      const std::uint32_t n = std::min(rt::kBlockFrames, frames_ - done);
      for (std::size_t c = 0; c < in.size(); ++c) {
        std::copy_n(in[c].begin() + done, n, in_buffers[c].begin());
        ins.push_back(in_buffers[c].data());
      }
      for (auto& buffer : out_buffers) outs.push_back(buffer.data());
      rt::Member member{.node = &node,
                        .in = ins.data(),
                        .out = outs.data(),
                        .in_count = static_cast<std::uint16_t>(in.size()),
                        .out_count = static_cast<std::uint16_t>(out_count),
                        .lanes = static_cast<std::uint16_t>(std::max(in.size(), out_count))};
      rt::Step one{.kind = &kind,
                   .members = {&member, 1},
                   .rows = rows.get(),
                   .row_count = kind.row_count(0),
                   .lanes = static_cast<std::uint32_t>(member.lanes),
                   .lane_in = ins.data(),
                   .lane_out = outs.data()};
      rt::Slice slice;
      slice.engine_frame = slice.timeline_frame = done;
      slice.frames = slice.block_frames = n;
      slice.rolling = true;
      slice.sample_rate_hz = shape_.sample_rate_hz;
      slice.counters = &counters;
      slice.kernels = &rt::dsp::kernels_of(rt::CpuLevel::baseline);
      slice.tile = tile.get();
      kind.begin_block(one, slice);
      kind.process(one, slice);
      for (std::size_t c = 0; c < out_count; ++c) std::copy_n(out_buffers[c].begin(), n, out[c].begin() + done);
    }
    return out;
  }

  const Document& document_;
  const EngineShape& shape_;
  const MediaTable& media_;
  const std::uint32_t frames_;
  const std::unordered_map<rt::Uid, double> audible_;
  std::map<std::string, Outputs> done_;
};

}  // namespace

Reference evaluate(const Document& document, const EngineShape& shape, const MediaTable& media, std::uint32_t frames) {
  return Evaluation(document, shape, media, frames).result;
}

}  // namespace continuo::session::test
