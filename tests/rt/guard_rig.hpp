// THREAD: test - nodes that go wrong, and what the guard says of them
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rt/guard.hpp"
#include "rt/nodes/equalizer.hpp"
#include "tests/support/poison.hpp"

namespace continuo::test::guard {

using Channel = std::vector<std::size_t>;
inline constexpr rt::FrameCount kSecond = 48000;

inline std::vector<rt::Fault> faults_of(Rig& rig) {
  std::vector<rt::Fault> faults;
  for (rt::Fault fault; rig.renderer.faults().try_pop(fault);) faults.push_back(fault);
  return faults;
}

inline rt::Node& poison(Rig& rig, rt::Uid uid, std::vector<Poison> doses, float level = 0.5f) {
  return rig.adopt(std::make_unique<PoisonNode>(uid, std::move(doses), level));
}

inline std::vector<double> peak_eq(double db) {
  std::vector<double> params(rt::EqParam::count, 0.0);
  for (std::uint32_t b = 0; b < rt::kEqBands; ++b) {
    params[b * rt::EqParam::per_band + rt::EqParam::freq_hz] = 1000.0;
    params[b * rt::EqParam::per_band + rt::EqParam::gain_db] = db;
    params[b * rt::EqParam::per_band + rt::EqParam::q] = 1.0;
    params[b * rt::EqParam::per_band + rt::EqParam::enabled] = 1.0;
  }
  return params;
}
inline rt::Node& eq(Rig& rig, rt::Uid uid, double db = 6.0) {
  const rt::EqBand band{rt::dsp::BandType::peak, 1};
  return rig.adopt(std::unique_ptr<rt::Node>(rt::make_eq(uid, {&band, 1})), peak_eq(db));
}
inline Channel through_eq(PlanBuilder& b, rt::Node& node, const Channel& in) {
  const Channel out = b.channels(in.size());
  b.batch({{&node, in, out, 1}});
  return out;
}

}  // namespace continuo::test::guard
