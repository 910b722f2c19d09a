// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";

/// @dev The cheatcodes of forge that we use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 time) external;
    function chainId(uint256 id) external;
    function prank(address sender) external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function assume(bool condition) external pure;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
}

/// @dev An authority, a register with three registrars of whom two must approve, and what signs for them.
/// The EIP-712 digests are written out again here, so that a slip in the contract does not repeat itself.
abstract contract Fixture {
    bool public constant IS_TEST = true;
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant REGISTRAR = 7;
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant DEADLINE = START + 1 days;
    uint256 internal constant HOLDER_KEY = uint256(keccak256("holder"));
    uint256 internal constant RECIPIENT_KEY = uint256(keccak256("recipient"));
    uint256 internal constant STRANGER_KEY = uint256(keccak256("stranger"));
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    Authority internal authority;
    LandRegister internal register;
    /// @dev Private keys, ascending by address.
    uint256[] internal registrars;

    function setUp() public virtual {
        vm.warp(START);
        authority = new Authority(address(this));
        register = new LandRegister(authority, coolingOff());
        authority.setPolicy(address(register), REGISTRAR, 2);
        for (uint256 i = 0; i < 3; ++i) {
            registrars.push(uint256(keccak256(abi.encode("registrar", i))));
            authority.grantRole(REGISTRAR, vm.addr(registrars[i]), 0);
        }
        sortByAddress(registrars);
    }

    function coolingOff() internal pure virtual returns (uint256) {
        return 0;
    }

    // What is signed

    function domainSeparator(address verifyingContract) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                    ),
                    keccak256("LandRegister"),
                    keccak256("1"),
                    block.chainid,
                    verifyingContract
                )
            );
    }

    function typedData(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(address(register)), structHash));
    }

    function issueStruct(LandRegister.Title[] memory titles, uint256 deadline) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < titles.length; ++i) {
            bytes32 typehash = keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)");
            bytes memory encoded =
                abi.encode(typehash, titles[i].recordId, titles[i].digest, titles[i].holder, titles[i].area);
            hashes = bytes.concat(hashes, keccak256(encoded));
        }
        string memory types =
            "IssueTitles(Title[] titles,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        return keccak256(abi.encode(keccak256(bytes(types)), keccak256(hashes), deadline));
    }

    function transferStruct(LandRegister.Transfer memory change, bytes32 head) internal pure returns (bytes32) {
        string memory types =
            "TransferTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)";
        return
            keccak256(
                abi.encode(
                    keccak256(bytes(types)),
                    change.recordId,
                    head,
                    change.recipient,
                    change.digest,
                    change.deadline
                )
            );
    }

    // Who signs

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature of the same key over the same digest.
    function highSignature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    function approve(uint256[] memory keys, bytes32 digest) internal pure returns (Register.Approval[] memory given) {
        given = new Register.Approval[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            given[i] = Register.Approval(vm.addr(keys[i]), signature(keys[i], digest));
        }
    }

    /// @dev The first `count` registrars.
    function keysOf(uint256 count) internal view returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = registrars[i];
        }
    }

    function packedHash(uint256[] memory keys) internal pure returns (bytes32) {
        bytes memory packed;
        for (uint256 i = 0; i < keys.length; ++i) {
            packed = abi.encodePacked(packed, vm.addr(keys[i]));
        }
        return keccak256(packed);
    }

    function sortByAddress(uint256[] storage keys) internal {
        for (uint256 i = 1; i < keys.length; ++i) {
            for (uint256 j = i; j > 0 && vm.addr(keys[j - 1]) > vm.addr(keys[j]); --j) {
                (keys[j - 1], keys[j]) = (keys[j], keys[j - 1]);
            }
        }
    }

    // What is done

    function title(uint256 number) internal pure returns (LandRegister.Title memory) {
        bytes32 recordId = keccak256(abi.encode("land", number));
        bytes32 digest = keccak256(abi.encode("content", number));
        return LandEntries.Title(recordId, digest, vm.addr(HOLDER_KEY), uint64(10_000 + number));
    }

    function batch(uint256 count) internal pure returns (LandRegister.Title[] memory titles) {
        titles = new LandRegister.Title[](count);
        for (uint256 i = 0; i < count; ++i) {
            titles[i] = title(i + 1);
        }
    }

    function issue(LandRegister.Title[] memory titles) internal {
        register.issue(titles, DEADLINE, approve(keysOf(2), typedData(issueStruct(titles, DEADLINE))));
    }

    function firstEntry(LandRegister.Title memory ours) internal view returns (LandRegister.LandEntry memory entry) {
        entry.sequence = 1;
        entry.time = uint40(block.timestamp);
        entry.action = 1;
        entry.status = 1;
        entry.digest = ours.digest;
        entry.approvals = packedHash(keysOf(2));
        entry.holder = ours.holder;
        entry.area = ours.area;
    }

    function hashOf(LandRegister.LandEntry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(entry));
    }

    // What is asserted

    function assertEq(bytes32 given, bytes32 wanted) internal pure {
        require(given == wanted, NotEqual(given, wanted));
    }

    function assertEq(uint256 given, uint256 wanted) internal pure {
        require(given == wanted, NotEqual(bytes32(given), bytes32(wanted)));
    }

    function assertEq(address given, address wanted) internal pure {
        assertEq(uint256(uint160(given)), uint256(uint160(wanted)));
    }

    function assertTrue(bool condition, string memory rule) internal pure {
        require(condition, rule);
    }

    error NotEqual(bytes32 given, bytes32 wanted);
}

/// @dev An account with code that accepts what its owner signs (ERC-1271).
contract Wallet {
    address private immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 digest, bytes calldata given) external view returns (bytes4) {
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(given[:32]), bytes32(given[32:64]), uint8(given[64]));
        return ecrecover(digest, v, r, s) == owner ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
