// THREAD: test - a track with a tone, and requests that come later
#pragma once

#include <string>

#include "tests/server/control/scheduled_rig.hpp"

namespace continuo::control::test {

inline const std::string kTone =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

inline std::string set_gain(const std::string& path, double db) {
  return "{'setParams':{'path':'" + path + "','values':{'gain_db':" + std::to_string(db) + "},'rampMs':0}}";
}
inline std::string add_track(const std::string& id) {
  return "{'addNode':{'node':{'id':'" + id + "','type':'track'}}}";
}
inline std::string removal(const std::string& path) { return "{'removeNode':{'path':'" + path + "'}}"; }
inline std::string request(const std::string& operations, const std::string& when, const std::string& more = "") {
  return "{'operations':[" + operations + "],'when':" + when + more + "}";
}
inline const std::string kLater = "{'afterSeconds':1000}";

}  // namespace continuo::control::test
